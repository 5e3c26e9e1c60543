#include "nn/ema.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using nn::Ema;

void set_values(nn::Module& module, std::uint64_t seed) {
  for (const nn::NamedTensor& tensor : nn::named_tensors(module)) {
    std::ranges::copy(test::random_tensor(tensor.value->shape(), seed++).values(),
                      tensor.value->data());
  }
}

TEST(Ema, AveragesWeightsAndCopiesBuffers) {
  nn::BatchNorm2d norm(2);
  Ema ema(norm, {.decay = 0.75});
  norm.gamma = Tensor::full({2}, 5.0f);
  norm.running_mean = Tensor::full({2}, 8.0f);
  ema.update();
  test::expect_near(ema.weights().at("weight"), {2.0, 2.0}, 0.0);
  test::expect_near(ema.weights().at("running_mean"), {8.0, 8.0}, 0.0);
  ema.update();
  test::expect_near(ema.weights().at("weight"), {2.75, 2.75}, 0.0);
}

TEST(Ema, AveragesBuffersWhereAskedTo) {
  nn::BatchNorm2d norm(2);
  Ema ema(norm, {.decay = 0.75, .buffers = nn::EmaBuffers::average});
  norm.running_mean = Tensor::full({2}, 8.0f);
  ema.update();
  test::expect_near(ema.weights().at("running_mean"), {2.0, 2.0}, 0.0);
}

TEST(Ema, DecayWarmsUp) {
  nn::Linear layer(1, 1);
  Ema ema(layer, {.decay = 0.5, .warmup = 10.0});
  std::ranges::fill(layer.weight.values(), 1.0f);
  double want = 0.0;
  for (int n = 0; n < 20; ++n) {
    ema.update();
    const double decay = std::min(0.5, (1.0 + n) / (10.0 + n));
    want = decay * want + (1.0 - decay);
    EXPECT_NEAR(ema.weights().at("weight").data()[0], want, 1e-6) << n;
  }
}

TEST(Ema, SwapExchangesValuesAndSwapsBack) {
  nn::Linear layer(3, 2);
  set_values(layer, 1);
  Ema ema(layer, {.decay = 0.5});
  set_values(layer, 10);
  ema.update();
  const Tensor weight = layer.weight.clone();
  const Tensor average = ema.weights().at("weight").clone();
  ema.swap();
  EXPECT_TRUE(test::same_bits(layer.weight, average));
  EXPECT_TRUE(test::same_bits(ema.weights().at("weight"), weight));
  ema.swap();
  EXPECT_TRUE(test::same_bits(layer.weight, weight));
}

TEST(Ema, CopiesIntoAnotherModule) {
  nn::Linear layer(3, 2);
  set_values(layer, 1);
  const Ema ema(layer, {});
  nn::Linear other(3, 2);
  ema.copy_to(other);
  EXPECT_TRUE(test::same_bits(other.weight, layer.weight));
  EXPECT_FALSE(other.weight.shares_memory_with(ema.weights().at("weight")));
  nn::Linear wider(4, 2);
  test::expect_error([&] { ema.copy_to(wider); },
                     "load_state: names and shapes must match one to one: misshapen weight is "
                     "[2, 3] for [2, 4]");
}

TEST(Ema, ContinuesFromItsStateForAnyNumberOfThreads) {
  const nn::EmaOptions options = {.decay = 0.9, .warmup = 10.0};
  const auto average = [&](std::size_t threads, std::uint64_t restart_at) {
    const test::ScopedThreads scoped(threads);
    nn::Linear layer(300, 200);
    auto ema = std::make_unique<Ema>(layer, options);
    for (std::uint64_t step = 0; step < 8; ++step) {
      if (step == restart_at) {
        auto restarted = std::make_unique<Ema>(layer, options);
        restarted->load_state(ema->state());
        ema = std::move(restarted);
      }
      set_values(layer, 2 * step);
      ema->update();
    }
    EXPECT_EQ(ema->updates(), 8u);
    return ema->weights().at("weight");
  };
  const Tensor whole = average(1, 100);
  EXPECT_TRUE(test::same_bits(average(1, 3), whole));
  EXPECT_TRUE(test::same_bits(average(3, 5), whole));
}

TEST(Ema, StateMustFit) {
  nn::Linear layer(3, 2);
  Ema ema(layer, {});
  nn::StateDict state = ema.state();
  state.erase("average.bias");
  state.emplace("weight", Tensor::zeros({2, 3}));
  test::expect_error([&] { ema.load_state(state); },
                     "Ema: saved state must fit: missing average.bias; extra weight");
  state = ema.state();
  state.at("updates") = Tensor::full({1}, 1.5f);
  test::expect_error([&] { ema.load_state(state); },
                     "Ema: updates must be a whole number from 0 to 16777216: got 1.5");
}

TEST(Ema, OptionsMustBeInRange) {
  nn::Linear layer(3, 2);
  test::expect_error([&] { Ema(layer, {.decay = 1.0}); },
                     "Ema: decay must be at least 0 and below 1: got 1");
  test::expect_error([&] { Ema(layer, {.warmup = 0.5}); },
                     "Ema: warmup must be 0 or at least 1 and finite: got 0.5");
}

}  // namespace
}  // namespace lamina

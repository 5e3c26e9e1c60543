#include "nn/optim.h"

#include <gtest/gtest.h>
#include <limits>
#include <memory>

#include "nn/layers.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using nn::AdamW;
using nn::NamedTensor;
using nn::Optimizer;
using nn::RmsProp;
using nn::Sgd;

using Parameters = std::vector<NamedTensor>;
using Make = std::function<std::unique_ptr<Optimizer>(const Parameters&)>;

// A weight of several tasks and one shorter than a vector, with random values.
struct Weights {
  Tensor matrix = test::random_tensor({33, 1001}, 1);
  Tensor bias = test::random_tensor({3}, 2);

  Weights() {
    matrix.track();
    bias.track();
  }

  Parameters named() {
    return {{"matrix", nn::TensorKind::parameter, &matrix},
            {"bias", nn::TensorKind::parameter, &bias}};
  }
};

void take_steps(Optimizer& optimizer, std::uint64_t first, std::uint64_t last) {
  for (std::uint64_t step = first; step < last; ++step) {
    for (const NamedTensor& parameter : optimizer.parameters()) {
      parameter.value->set_grad(test::random_tensor(parameter.value->shape(), 100 + step));
    }
    optimizer.step();
  }
}

nn::StateDict cloned(const nn::StateDict& state) {
  nn::StateDict result;
  for (const auto& [name, value] : state) {
    result.emplace(name, value.clone());
  }
  return result;
}

struct Variant {
  const char* name;
  Make make;
};

std::vector<Variant> variants() {
  return {
      {"sgd",
       [](const Parameters& p) {
         return std::make_unique<Sgd>(p, nn::SgdOptions{.rate = 0.1, .weight_decay = 0.01});
       }},
      {"momentum",
       [](const Parameters& p) {
         return std::make_unique<Sgd>(
             p, nn::SgdOptions{.rate = 0.1, .momentum = 0.9, .dampening = 0.3});
       }},
      {"nesterov",
       [](const Parameters& p) {
         return std::make_unique<Sgd>(p, nn::SgdOptions{.rate = 0.1,
                                                        .momentum = 0.9,
                                                        .weight_decay = 0.01,
                                                        .form = nn::MomentumForm::nesterov});
       }},
      {"rms_prop",
       [](const Parameters& p) {
         return std::make_unique<RmsProp>(p, nn::RmsPropOptions{.rate = 0.045});
       }},
      {"adam_w",
       [](const Parameters& p) { return std::make_unique<AdamW>(p, nn::AdamWOptions{}); }},
  };
}

class EveryOptimizer : public testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(, EveryOptimizer, testing::ValuesIn(variants()),
                         [](const auto& variant) { return std::string(variant.param.name); });

TEST_P(EveryOptimizer, HasTheSameBitsForAnyNumberOfThreads) {
  std::vector<Weights> results(4);
  for (std::size_t threads = 1; threads <= results.size(); ++threads) {
    const test::ScopedThreads scoped(threads);
    const auto optimizer = GetParam().make(results[threads - 1].named());
    take_steps(*optimizer, 0, 5);
  }
  for (const Weights& result : results) {
    EXPECT_TRUE(test::same_bits(result.matrix, results[0].matrix));
    EXPECT_TRUE(test::same_bits(result.bias, results[0].bias));
  }
  EXPECT_FALSE(test::same_bits(results[0].matrix, Weights().matrix));
}

TEST_P(EveryOptimizer, ContinuesFromItsStateBitForBit) {
  Weights whole;
  const auto uninterrupted = GetParam().make(whole.named());
  take_steps(*uninterrupted, 0, 12);

  Weights resumed;
  nn::StateDict saved;
  {
    const auto before = GetParam().make(resumed.named());
    take_steps(*before, 0, 5);
    saved = cloned(before->state());
  }
  const auto after = GetParam().make(resumed.named());
  after->load_state(saved);
  take_steps(*after, 5, 12);
  EXPECT_TRUE(test::same_bits(resumed.matrix, whole.matrix));
  EXPECT_TRUE(test::same_bits(resumed.bias, whole.bias));
  const nn::StateDict want = uninterrupted->state();
  for (const auto& [name, value] : after->state()) {
    EXPECT_TRUE(test::same_bits(value, want.at(name))) << name;
  }
}

TEST_P(EveryOptimizer, LeavesParametersWithoutGradientAlone) {
  Weights weights;
  const auto optimizer = GetParam().make(weights.named());
  const nn::StateDict before = cloned(optimizer->state());
  weights.matrix.set_grad(test::random_tensor({33, 1001}, 3));
  optimizer->step();
  EXPECT_TRUE(test::same_bits(weights.bias, Weights().bias));
  EXPECT_FALSE(test::same_bits(weights.matrix, Weights().matrix));
  for (const auto& [name, value] : optimizer->state()) {
    EXPECT_EQ(test::same_bits(value, before.at(name)), name.ends_with(".bias")) << name;
  }
}

TEST_P(EveryOptimizer, ARateOfZeroMovesNothing) {
  Weights weights;
  const auto optimizer = GetParam().make(weights.named());
  optimizer->set_rate(0.0);
  take_steps(*optimizer, 0, 2);
  EXPECT_TRUE(test::same_bits(weights.matrix, Weights().matrix));
}

TEST(Optimizer, ClearsTheGradients) {
  Weights weights;
  Sgd sgd(weights.named(), {.rate = 0.1});
  weights.matrix.set_grad(Tensor::zeros({33, 1001}));
  sgd.clear_gradients();
  EXPECT_TRUE(weights.matrix.grad().empty());
}

TEST(Optimizer, DecaysWeightsOnlyWhereAskedTo) {
  const auto decayed = [](nn::DecayOn decay_on) {
    Weights weights;
    Sgd sgd(weights.named(), {.rate = 1.0, .weight_decay = 0.5, .decay_on = decay_on});
    weights.matrix.set_grad(Tensor::zeros({33, 1001}));
    weights.bias.set_grad(Tensor::zeros({3}));
    sgd.step();
    EXPECT_EQ(weights.matrix.data()[5], 0.5f * Weights().matrix.data()[5]);
    return weights.bias.data()[1] / Weights().bias.data()[1];
  };
  EXPECT_EQ(decayed(nn::DecayOn::all), 0.5f);
  EXPECT_EQ(decayed(nn::DecayOn::weights), 1.0f);
}

TEST(Optimizer, StateIsKeyedByName) {
  Weights weights;
  AdamW adam(weights.named(), {});
  take_steps(adam, 0, 3);
  std::string listed;
  for (const auto& [name, value] : adam.state()) {
    listed += text(name, value.shape(), ' ');
  }
  EXPECT_EQ(listed,
            "mean.bias[3] mean.matrix[33, 1001] mean_square.bias[3] mean_square.matrix[33, 1001] "
            "steps.bias[1] steps.matrix[1] ");
  EXPECT_EQ(adam.state().at("steps.bias").data()[0], 3.0f);
  EXPECT_EQ(Sgd(weights.named(), {.rate = 0.1}).state().size(), 2u);
}

TEST(Optimizer, StateMustFit) {
  Weights weights;
  Sgd sgd(weights.named(), {.rate = 0.1, .momentum = 0.9});
  const nn::StateDict good = cloned(sgd.state());
  nn::StateDict bad = good;
  bad.erase("momentum.matrix");
  bad.insert_or_assign("steps.bias", Tensor::zeros({2}));
  bad.emplace("mean.bias", Tensor::zeros({3}));
  test::expect_error([&] { sgd.load_state(bad); },
                     "Sgd: saved state must fit: missing momentum.matrix; extra mean.bias; "
                     "misshapen steps.bias is [2] for [1]");
  for (const float steps : {-1.0f, 0.5f, 1e9f, std::numeric_limits<float>::quiet_NaN()}) {
    bad = cloned(good);
    bad.at("momentum.matrix") = Tensor::full({33, 1001}, 7.0f);
    bad.at("steps.matrix") = Tensor::full({1}, steps);
    test::expect_error(
        [&] { sgd.load_state(bad); },
        text("Sgd: steps.matrix must be a whole number from 0 to 16777216: got ", steps));
  }
  EXPECT_EQ(sgd.state().at("momentum.matrix").data()[0], 0.0f);
}

TEST(Optimizer, ParametersMustKeepTheirShapes) {
  Weights weights;
  Sgd sgd(weights.named(), {.rate = 0.1, .momentum = 0.9});
  weights.matrix = Tensor::zeros({4, 2}).track();
  weights.matrix.set_grad(Tensor::zeros({4, 2}));
  test::expect_error([&] { sgd.step(); },
                     "Sgd: parameters must keep their shapes: matrix was [33, 1001], is [4, 2]");
}

TEST(Optimizer, ParametersMustBeParametersOfDifferentNames) {
  nn::BatchNorm2d norm(3);
  test::expect_error([&] { Sgd(nn::named_tensors(norm), {.rate = 0.1}); },
                     "Sgd: buffers are not trained: running_mean is one");
  Weights weights;
  Parameters twice = weights.named();
  twice[1].name = "matrix";
  test::expect_error([&] { AdamW(twice, {}); },
                     "AdamW: parameters must have different names: two are matrix");
}

TEST(Optimizer, OptionsMustBeInRange) {
  test::expect_error([] { Sgd({}, {.rate = -0.1}); },
                     "Sgd: rate must be at least 0 and finite: got -0.1");
  test::expect_error(
      [] { Sgd({}, {.rate = 0.1}).set_rate(std::numeric_limits<double>::infinity()); },
      "Sgd: rate must be at least 0 and finite: got inf");
  test::expect_error([] { RmsProp({}, {.rate = 0.1, .weight_decay = -1.0}); },
                     "RmsProp: weight_decay must be at least 0 and finite: got -1");
  test::expect_error([] { Sgd({}, {.rate = 0.1, .momentum = 1.0}); },
                     "Sgd: momentum must be at least 0 and below 1: got 1");
  test::expect_error([] { Sgd({}, {.rate = 0.1, .momentum = 0.5, .dampening = -0.5}); },
                     "Sgd: dampening must be at least 0 and below 1: got -0.5");
  test::expect_error([] { RmsProp({}, {.rate = 0.1, .decay = 1.5}); },
                     "RmsProp: decay must be at least 0 and below 1: got 1.5");
  test::expect_error([] { RmsProp({}, {.rate = 0.1, .momentum = -0.5}); },
                     "RmsProp: momentum must be at least 0 and below 1: got -0.5");
  test::expect_error([] { RmsProp({}, {.rate = 0.1, .epsilon = 0.0}); },
                     "RmsProp: epsilon must be above 0 and finite: got 0");
  test::expect_error([] { AdamW({}, {.beta1 = 1.0}); },
                     "AdamW: beta1 must be at least 0 and below 1: got 1");
  test::expect_error([] { AdamW({}, {.beta2 = -1.0}); },
                     "AdamW: beta2 must be at least 0 and below 1: got -1");
  test::expect_error([] { AdamW({}, {.epsilon = -1.0}); },
                     "AdamW: epsilon must be above 0 and finite: got -1");
}

TEST(Optimizer, NesterovsFormNeedsMomentumWithoutDampening) {
  const auto nesterov = nn::MomentumForm::nesterov;
  test::expect_error([&] { Sgd({}, {.rate = 0.1, .form = nesterov}); },
                     "Sgd: Nesterov's form needs momentum and no dampening: momentum is 0, "
                     "dampening 0");
  test::expect_error(
      [&] { Sgd({}, {.rate = 0.1, .momentum = 0.9, .dampening = 0.1, .form = nesterov}); },
      "Sgd: Nesterov's form needs momentum and no dampening: momentum is 0.9, dampening 0.1");
}

}  // namespace
}  // namespace lamina

#include <cmath>
#include <functional>
#include <gtest/gtest.h>

#include "nn/optim.h"
#include "tests/support/tensors.h"

// Each optimizer against its formula, value by value in double.
namespace lamina {
namespace {

constexpr std::size_t kCount = 40'003;  // several tasks and a tail
constexpr int kSteps = 20;

using Update = std::function<double(double w, double dw, int step)>;

// `make_update` makes the formula for one value, with its own state.
void expect_formula(const auto& make_optimizer, const std::function<Update()>& make_update) {
  Tensor w = test::random_tensor({kCount}, 1);
  w.track();
  std::vector<double> want = test::doubles(w);
  std::vector<Update> updates;
  for (std::size_t i = 0; i < kCount; ++i) {
    updates.push_back(make_update());
  }
  auto optimizer = make_optimizer(
      std::vector<nn::NamedTensor>{{.name = "w", .kind = nn::TensorKind::parameter, .value = &w}});
  for (int step = 1; step <= kSteps; ++step) {
    const Tensor dw = test::random_tensor({kCount}, 100u + static_cast<unsigned>(step));
    w.set_grad(dw);
    optimizer.step();
    for (std::size_t i = 0; i < kCount; ++i) {
      want[i] = updates[i](want[i], dw.data()[i], step);
    }
  }
  test::expect_near(w, want, 2e-6);
}

TEST(OptimizerFormulas, SgdWithoutMomentum) {
  expect_formula(
      [](const auto& parameters) {
        return nn::Sgd(parameters, {.rate = 0.1, .weight_decay = 0.2});
      },
      [] { return [](double w, double dw, int) { return w - 0.1 * (dw + 0.2 * w); }; });
}

TEST(OptimizerFormulas, RmsPropAsTensorFlows) {
  expect_formula(
      [](const auto& parameters) {
        return nn::RmsProp(
            parameters,
            {.rate = 0.01, .decay = 0.8, .momentum = 0.7, .epsilon = 0.01, .weight_decay = 0.1});
      },
      [] {
        return [square = 1.0, momentum = 0.0](double w, double dw, int) mutable {
          const double g = dw + 0.1 * w;
          square = 0.8 * square + 0.2 * g * g;
          momentum = 0.7 * momentum + 0.01 * g / std::sqrt(square + 0.01);
          return w - momentum;
        };
      });
}

TEST(OptimizerFormulas, AdamWWithBiasesCorrected) {
  expect_formula(
      [](const auto& parameters) {
        return nn::AdamW(
            parameters,
            {.rate = 0.01, .beta1 = 0.8, .beta2 = 0.99, .epsilon = 1e-3, .weight_decay = 0.1});
      },
      [] {
        return [mean = 0.0, square = 0.0](double w, double dw, int step) mutable {
          mean = 0.8 * mean + 0.2 * dw;
          square = 0.99 * square + 0.01 * dw * dw;
          const double m = mean / (1.0 - std::pow(0.8, step));
          const double s = square / (1.0 - std::pow(0.99, step));
          return w - 0.01 * 0.1 * w - 0.01 * m / (std::sqrt(s) + 1e-3);
        };
      });
}

}  // namespace
}  // namespace lamina

#include <gtest/gtest.h>
#include <limits>

#include "nn/ops.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

TEST(OpsErrors, Clamp) {
  test::expect_error(
      [] {
        nn::clamp(Tensor::zeros({2}), {1.0f, -1.0f});
      },
      "clamp: bounds must be in order: lo is 1, hi is -1");
  const float nan = std::numeric_limits<float>::quiet_NaN();
  test::expect_error(
      [&] {
        nn::clamp(Tensor::zeros({2}), {nan, 1.0f});
      },
      "clamp: bounds must be in order: lo is nan, hi is 1");
}

TEST(OpsErrors, Add) {
  test::expect_error(
      [] {
        nn::add(Tensor::zeros({2, 3}), Tensor::zeros({3, 2}));
      },
      "add: shapes must be the same: a is [2, 3], b is [3, 2]");
}

TEST(OpsErrors, BatchNorm) {
  const Tensor x = Tensor::zeros({1, 2, 2, 4});
  const Tensor four = Tensor::zeros({4});
  const Tensor three = Tensor::zeros({3});
  const auto message = [](const std::string& name) {
    return "batch_norm: " + name + " must have one value for each output: " + name +
           " is [3], input [1, 2, 2, 4] needs [4]";
  };
  test::expect_error([&] { nn::batch_norm(x, three, four, four, four); }, message("gamma"));
  test::expect_error([&] { nn::batch_norm(x, four, three, four, four); }, message("beta"));
  test::expect_error([&] { nn::batch_norm(x, four, four, three, four); }, message("mean"));
  test::expect_error([&] { nn::batch_norm(x, four, four, four, three); }, message("variance"));
  test::expect_error([&] { nn::batch_norm(Tensor::zeros({}), four, four, four, four); },
                     "batch_norm: input must have an axis of channels: got []");
  test::expect_error([&] { nn::batch_norm(x, four, four, four, four, {.epsilon = -1.0f}); },
                     "batch_norm: epsilon must be finite and not negative: got -1");
  test::expect_error(
      [&] {
        nn::batch_norm(x, four, four, four, four, {.bounds = {2.0f, 1.0f}});
      },
      "batch_norm: bounds must be in order: lo is 2, hi is 1");
}

TEST(OpsErrors, GlobalAveragePool) {
  test::expect_error(
      [] {
        nn::global_average_pool(Tensor::zeros({2, 3}));
      },
      "global_average_pool: input must be [N, H, W, C]: got [2, 3]");
  test::expect_error(
      [] {
        nn::global_average_pool(Tensor::zeros({2, 0, 3, 5}));
      },
      "global_average_pool: image must have a pixel: input [2, 0, 3, 5] has 0 x 3");
}

TEST(OpsErrors, Linear) {
  const Tensor w = Tensor::zeros({10, 4});
  test::expect_error([&] { nn::linear(Tensor::zeros({4}), w, Tensor()); },
                     "linear: input must be [N, I]: got [4]");
  test::expect_error(
      [&] {
        nn::linear(Tensor::zeros({2, 4}), Tensor(), Tensor());
      },
      "linear: weight must be [O, I]: got [0]");
  test::expect_error(
      [&] {
        nn::linear(Tensor::zeros({2, 5}), w, Tensor());
      },
      "linear: input features must equal weight features: input [2, 5] has 5, "
      "weight [10, 4] needs 4");
  test::expect_error(
      [&] {
        nn::linear(Tensor::zeros({2, 4}), w, Tensor::zeros({4}));
      },
      "linear: bias must have one value for each output: bias is [4], weight "
      "[10, 4] needs [10]");
}

TEST(OpsErrors, Softmax) {
  test::expect_error([] { nn::softmax(Tensor::zeros({})); },
                     "softmax: input must have an axis: got []");
}

}  // namespace
}  // namespace lamina

#include "nn/ops.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "nn/isa.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

class Ops : public testing::TestWithParam<std::string> {
 private:
  test::ScopedIsa isa_{GetParam()};
};

TEST_P(Ops, ClampKeepsNanAndInfiniteBounds) {
  const std::vector<float> values = {-7.0f, -0.5f, 0.0f, 3.0f, 6.5f, kNan, kInfinity};
  const Tensor x = Tensor::from({7}, values);
  const Tensor y = nn::relu6(x);
  const std::vector<float> want = {0.0f, 0.0f, 0.0f, 3.0f, 6.0f};
  EXPECT_EQ(std::vector<float>(y.data(), y.data() + 5), want);
  EXPECT_TRUE(std::isnan(y.data()[5]));
  EXPECT_EQ(y.data()[6], 6.0f);
  EXPECT_EQ(nn::clamp(x, {}).data()[6], kInfinity);
  EXPECT_EQ(nn::clamp(x, {-1.0f, 1.0f}).data()[0], -1.0f);
}

TEST_P(Ops, ClampCoversEveryElement) {
  const Tensor x = test::random_tensor({3, 7, 11, 173}, 1);
  std::vector<double> want = test::doubles(x);
  for (double& value : want) {
    value = std::clamp(value, -0.25, 0.5);
  }
  test::expect_near(nn::clamp(x, {-0.25f, 0.5f}), want, 0.0);
}

TEST_P(Ops, AddCoversEveryElement) {
  const Tensor a = test::random_tensor({5, 9, 31, 29}, 1);
  const Tensor b = test::random_tensor({5, 9, 31, 29}, 2);
  std::vector<double> want;
  for (std::size_t i = 0; i < a.size(); ++i) {
    want.push_back(static_cast<double>(a.data()[i]) + b.data()[i]);
  }
  test::expect_near(nn::add(a, b), want, 1e-7);
}

TEST_P(Ops, BatchNormIsItsFormula) {
  const Shape shape = {2, 19, 23, 37};
  const Tensor x = test::random_tensor(shape, 1);
  const Tensor gamma = test::random_tensor({37}, 2);
  const Tensor beta = test::random_tensor({37}, 3);
  const Tensor mean = test::random_tensor({37}, 4);
  Tensor variance = test::random_tensor({37}, 5);
  std::vector<double> want;
  for (std::size_t c = 0; c < 37; ++c) {
    variance.data()[c] += 1.5f;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % 37;
    const double normal = (static_cast<double>(x.data()[i]) - mean.data()[c]) /
                          std::sqrt(static_cast<double>(variance.data()[c]) + 0.125);
    want.push_back(std::clamp(normal * gamma.data()[c] + beta.data()[c], -0.5, 1.0));
  }
  const nn::BatchNormOptions options{.epsilon = 0.125f, .bounds = {-0.5f, 1.0f}};
  test::expect_near(nn::batch_norm(x, gamma, beta, mean, variance, options), want, 1e-6);
}

TEST_P(Ops, GlobalAveragePoolIsTheMean) {
  const Tensor x = test::random_tensor({2, 7, 5, 700}, 1);
  std::vector<double> want(2 * 700);
  for (std::size_t i = 0; i < x.size(); ++i) {
    want[i / (35 * 700) * 700 + i % 700] += x.data()[i] / 35.0;
  }
  const Tensor y = nn::global_average_pool(x);
  EXPECT_EQ(y.shape(), (Shape{2, 700}));
  test::expect_near(y, want, 1e-6);
}

void check_linear(std::size_t rows, std::size_t in, std::size_t out, const Tensor& bias) {
  const Tensor x = test::random_tensor({rows, in}, 1);
  const Tensor w = test::random_tensor({out, in}, 2);
  std::vector<double> want;
  for (std::size_t n = 0; n < rows; ++n) {
    for (std::size_t o = 0; o < out; ++o) {
      double sum = bias.empty() ? 0.0 : static_cast<double>(bias.data()[o]);
      for (std::size_t i = 0; i < in; ++i) {
        sum += static_cast<double>(x.data()[n * in + i]) * w.data()[o * in + i];
      }
      want.push_back(sum);
    }
  }
  const Tensor y = nn::linear(x, w, bias);
  EXPECT_EQ(y.shape(), (Shape{rows, out}));
  test::expect_near(y, want, 2e-7 * static_cast<double>(in + 1));
}

TEST_P(Ops, LinearIsTheProduct) {
  for (const std::size_t rows : {0u, 1u, 3u, 8u, 21u}) {
    check_linear(rows, 67, 131, test::random_tensor({131}, 3));
    check_linear(rows, 16, 1, Tensor());
  }
}

TEST_P(Ops, SoftmaxIsItsFormula) {
  Tensor x = test::random_tensor({3, 5, 77}, 1);
  for (float& value : x.values()) {
    value = value * 20.0f + 1000.0f;  // exp() of these overflows
  }
  std::vector<double> want;
  for (std::size_t row = 0; row < 15; ++row) {
    double total = 0.0;
    for (std::size_t i = 0; i < 77; ++i) {
      total += std::exp(static_cast<double>(x.data()[row * 77 + i]) - 1000.0);
    }
    for (std::size_t i = 0; i < 77; ++i) {
      want.push_back(std::exp(static_cast<double>(x.data()[row * 77 + i]) - 1000.0) / total);
    }
  }
  const Tensor y = nn::softmax(x);
  EXPECT_EQ(y.shape(), x.shape());
  test::expect_near(y, want, 1e-6);
}

TEST_P(Ops, EmptyInputsGiveEmptyResults) {
  EXPECT_EQ(nn::softmax(Tensor::zeros({0, 3})).shape(), (Shape{0, 3}));
  EXPECT_EQ(nn::softmax(Tensor::zeros({3, 0})).shape(), (Shape{3, 0}));
  EXPECT_EQ(nn::relu6(Tensor()).shape(), Shape{0});
  EXPECT_EQ(nn::add(Tensor(), Tensor()).shape(), Shape{0});
  EXPECT_EQ(nn::global_average_pool(Tensor::zeros({0, 2, 2, 3})).shape(), (Shape{0, 3}));
  const Tensor c = Tensor::zeros({3});
  EXPECT_EQ(nn::batch_norm(Tensor::zeros({0, 3}), c, c, c, c).shape(), (Shape{0, 3}));
}

INSTANTIATE_TEST_SUITE_P(, Ops, testing::ValuesIn(nn::available_isas()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace lamina

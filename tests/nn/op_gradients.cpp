#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "nn/isa.h"
#include "nn/loss.h"
#include "nn/ops.h"
#include "tests/support/tensors.h"

// Every op's gradients against central differences of its formula, written here in doubles.
namespace lamina {
namespace {

using Array = std::vector<double>;
using Arrays = std::vector<Array>;

struct Case {
  const char* name;
  std::vector<Shape> inputs;
  std::function<Tensor(const std::vector<Tensor>&)> op;
  std::function<Array(const Arrays&)> formula;
  float scale = 1.0f;  // of the inputs' values
};

// x [N, H, W, C], w [O, KH, KW, C / groups], bias [O], with the padding and bounds of options.
Array convolution(const Shape& x, const Shape& w, const nn::Conv2dOptions& o, const Arrays& in) {
  const Shape y = nn::conv2d_shape(x, w, o);
  Array result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t out = i % y[3];
    const std::size_t ox = i / y[3] % y[2];
    const std::size_t oy = i / y[3] / y[2] % y[1];
    const std::size_t image = i / y[3] / y[2] / y[1];
    const std::size_t group = out / (w[0] / o.groups);
    double sum = in.size() > 2 ? in[2][out] : 0.0;
    for (std::size_t tap = 0; tap < w[1] * w[2]; ++tap) {
      const std::size_t iy = oy * o.stride.h + tap / w[2] * o.dilation.h - o.padding.top;
      const std::size_t ix = ox * o.stride.w + tap % w[2] * o.dilation.w - o.padding.left;
      for (std::size_t c = 0; iy < x[1] && ix < x[2] && c < w[3]; ++c) {
        sum += in[0][((image * x[1] + iy) * x[2] + ix) * x[3] + group * w[3] + c] *
               in[1][(out * w[1] * w[2] + tap) * w[3] + c];
      }
    }
    result.push_back(std::clamp(sum, double{o.bounds.lo}, double{o.bounds.hi}));
  }
  return result;
}

Case convolution_case(const char* name, const Shape& x, const Shape& w,
                      const nn::Conv2dOptions& options) {
  return {.name = name,
          .inputs = {x, w, {w[0]}},
          .op = [=](const auto& in) { return nn::conv2d(in[0], in[1], in[2], options); },
          .formula = [=](const Arrays& in) { return convolution(x, w, options, in); }};
}

// (x - mean) / sqrt(variance + 0.01) * gamma + beta, within the bounds.
Array normalized(const Arrays& in, const Array& mean, const Array& variance, nn::Bounds bounds) {
  Array y = in[0];
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t c = i % mean.size();
    y[i] = (y[i] - mean[c]) / std::sqrt(variance[c] + 0.01) * in[1][c] + in[2][c];
    y[i] = std::clamp(y[i], double{bounds.lo}, double{bounds.hi});
  }
  return y;
}

Array batch_normalized(const Arrays& in, nn::Bounds bounds) {
  const std::size_t channels = in[1].size();
  const double rows = static_cast<double>(in[0].size() / channels);
  Array mean(channels);
  Array variance(channels);
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    mean[i % channels] += in[0][i] / rows;
  }
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    variance[i % channels] += std::pow(in[0][i] - mean[i % channels], 2) / rows;
  }
  return normalized(in, mean, variance, bounds);
}

Array softmax_of(const Array& x, std::size_t n) {
  Array y = x;
  for (std::size_t row = 0; row < x.size() / n; ++row) {
    double sum = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
      sum += std::exp(x[row * n + k]);
    }
    for (std::size_t k = 0; k < n; ++k) {
      y[row * n + k] = std::exp(x[row * n + k]) / sum;
    }
  }
  return y;
}

// The mean over rows of 7 of -sum_k t_k log softmax(x)_k.
Array cross_entropy_of(const Array& x, const Array& targets) {
  const Array p = softmax_of(x, 7);
  double loss = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    loss -= targets[i] * std::log(p[i]) / (static_cast<double>(x.size()) / 7);
  }
  return {loss};
}

const std::vector<std::uint32_t> kLabels = {3, 0, 6, 6, 2};

Array label_targets(double smoothing) {
  Array targets(kLabels.size() * 7, smoothing / 7);
  for (std::size_t row = 0; row < kLabels.size(); ++row) {
    targets[row * 7 + kLabels[row]] += 1.0 - smoothing;
  }
  return targets;
}

Array each(const Array& x, const std::function<double(double)>& f) {
  Array y;
  std::ranges::transform(x, std::back_inserter(y), f);
  return y;
}

const Tensor kMean = test::random_tensor({5}, 71);
const Tensor kVariance = Tensor::from({5}, std::vector{0.5f, 1.5f, 0.1f, 2.0f, 1.0f});
constexpr nn::Bounds kBounds{-0.5f, 0.75f};

// Made when first used: a program's first op chooses its instruction set.
const Tensor& targets() {
  static const Tensor values = nn::softmax(test::random_tensor({5, 7}, 72));
  return values;
}

std::vector<Case> cases() {
  return {
      convolution_case("Pointwise", {2, 3, 4, 5}, {7, 1, 1, 5}, {}),
      convolution_case("PointwiseBounds", {2, 3, 4, 5}, {7, 1, 1, 5}, {.bounds = kBounds}),
      convolution_case("PointwiseStride", {2, 5, 4, 3}, {4, 1, 1, 3}, {.stride = 2}),
      convolution_case("Stem", {2, 6, 7, 3}, {5, 3, 3, 3},
                       {.stride = 2, .padding = {1, 1, 1, 1}, .bounds = kBounds}),
      convolution_case("Groups", {1, 5, 6, 6}, {4, 3, 2, 3},
                       {.padding = {1, 0, 2, 1}, .groups = 2}),
      convolution_case("Dilated", {1, 7, 8, 2}, {3, 3, 3, 2},
                       {.stride = {1, 2}, .padding = {2, 1, 0, 2}, .dilation = {2, 1}}),
      convolution_case("Depthwise", {2, 5, 6, 9}, {9, 3, 3, 1},
                       {.padding = {1, 1, 1, 1}, .groups = 9, .bounds = kBounds}),
      convolution_case("DepthwiseStride", {2, 6, 7, 9}, {9, 3, 3, 1},
                       {.stride = 2, .padding = {0, 1, 0, 1}, .groups = 9}),
      convolution_case("DepthwiseFive", {1, 7, 6, 5}, {5, 5, 3, 1},
                       {.padding = {2, 2, 1, 1}, .dilation = {1, 2}, .groups = 5}),
      {.name = "BatchNorm",
       .inputs = {{2, 3, 2, 5}, {5}, {5}},
       .op =
           [](const auto& in) {
             return nn::batch_norm(in[0], in[1], in[2], kMean, kVariance,
                                   {.epsilon = 0.01f, .bounds = kBounds});
           },
       .formula =
           [](const Arrays& in) {
             return normalized(in, test::doubles(kMean), test::doubles(kVariance), kBounds);
           }},
      {.name = "BatchNormTraining",
       .inputs = {{2, 3, 2, 5}, {5}, {5}},
       .op =
           [](const auto& in) {
             Tensor mean = kMean.clone();
             Tensor variance = kVariance.clone();
             return nn::batch_norm_training(in[0], in[1], in[2], mean, variance,
                                            {.epsilon = 0.01f});
           },
       .formula = [](const Arrays& in) { return batch_normalized(in, {}); }},
      {.name = "BatchNormTrainingBounds",
       .inputs = {{2, 3, 2, 5}, {5}, {5}},
       .op =
           [](const auto& in) {
             Tensor mean = kMean.clone();
             Tensor variance = kVariance.clone();
             return nn::batch_norm_training(in[0], in[1], in[2], mean, variance,
                                            {.epsilon = 0.01f, .bounds = kBounds});
           },
       .formula = [](const Arrays& in) { return batch_normalized(in, kBounds); }},
      {.name = "Clamp",
       .inputs = {{3, 41}},
       .op = [](const auto& in) { return nn::clamp(in[0], kBounds); },
       .formula =
           [](const Arrays& in) {
             return each(in[0], [](double x) { return std::clamp(x, -0.5, 0.75); });
           }},
      {.name = "Relu",
       .inputs = {{3, 41}},
       .op = [](const auto& in) { return nn::relu(in[0]); },
       .formula =
           [](const Arrays& in) { return each(in[0], [](double x) { return std::max(x, 0.0); }); }},
      {.name = "Relu6",
       .inputs = {{3, 41}},
       .op = [](const auto& in) { return nn::relu6(in[0]); },
       .formula =
           [](const Arrays& in) {
             return each(in[0], [](double x) { return std::clamp(x, 0.0, 6.0); });
           },
       .scale = 12.0f},
      {.name = "Add",
       .inputs = {{2, 1, 3, 5}, {2, 1, 3, 5}},
       .op = [](const auto& in) { return nn::add(in[0], in[1]); },
       .formula =
           [](const Arrays& in) {
             Array y = in[0];
             std::ranges::transform(in[0], in[1], y.begin(), std::plus<>());
             return y;
           }},
      {.name = "Pool",
       .inputs = {{2, 3, 2, 5}},
       .op = [](const auto& in) { return nn::global_average_pool(in[0]); },
       .formula =
           [](const Arrays& in) {
             Array y(10);
             for (std::size_t i = 0; i < 60; ++i) {
               y[i / 30 * 5 + i % 5] += in[0][i] / 6;
             }
             return y;
           }},
      {.name = "Linear",
       .inputs = {{3, 7}, {4, 7}, {4}},
       .op = [](const auto& in) { return nn::linear(in[0], in[1], in[2]); },
       .formula =
           [](const Arrays& in) {
             return convolution({3, 1, 1, 7}, {4, 1, 1, 7}, {}, in);
           }},
      {.name = "Softmax",
       .inputs = {{3, 2, 7}},
       .op = [](const auto& in) { return nn::softmax(in[0]); },
       .formula = [](const Arrays& in) { return softmax_of(in[0], 7); },
       .scale = 3.0f},
      {.name = "CrossEntropy",
       .inputs = {{5, 7}},
       .op = [](const auto& in) { return nn::cross_entropy(in[0], kLabels); },
       .formula = [](const Arrays& in) { return cross_entropy_of(in[0], label_targets(0.0)); },
       .scale = 3.0f},
      {.name = "CrossEntropySmoothed",
       .inputs = {{5, 7}},
       .op =
           [](const auto& in) {
             return nn::cross_entropy(in[0], kLabels, {.label_smoothing = 0.1});
           },
       .formula = [](const Arrays& in) { return cross_entropy_of(in[0], label_targets(0.1)); },
       .scale = 3.0f},
      {.name = "CrossEntropyTargets",
       .inputs = {{5, 7}},
       .op = [](const auto& in) { return nn::cross_entropy(in[0], targets()); },
       .formula =
           [](const Arrays& in) { return cross_entropy_of(in[0], test::doubles(targets())); },
       .scale = 3.0f},
      {.name = "CrossEntropyTargetsSmoothed",
       .inputs = {{5, 7}},
       .op =
           [](const auto& in) {
             return nn::cross_entropy(in[0], targets(), {.label_smoothing = 0.25});
           },
       .formula =
           [](const Arrays& in) {
             const Array smoothed =
                 each(test::doubles(targets()), [](double t) { return 0.75 * t + 0.25 / 7; });
             return cross_entropy_of(in[0], smoothed);
           },
       .scale = 3.0f},
      {.name = "Mse",
       .inputs = {{3, 5}, {3, 5}},
       .op = [](const auto& in) { return nn::mse(in[0], in[1]); },
       .formula =
           [](const Arrays& in) {
             double sum = 0.0;
             for (std::size_t i = 0; i < 15; ++i) {
               sum += std::pow(in[0][i] - in[1][i], 2) / 15;
             }
             return Array{sum};
           }},
  };
}

double dot(const Array& a, const Array& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

std::vector<Tensor> random_inputs(const Case& c) {
  std::vector<Tensor> inputs;
  for (const Shape& shape : c.inputs) {
    inputs.push_back(test::random_tensor(shape, 10 + inputs.size()));
    for (float& value : inputs.back().values()) {
      value *= c.scale;
    }
  }
  return inputs;
}

// d<dy, formula> / d input i.
Array differences(const Case& c, Arrays in, std::size_t i, const Array& dy) {
  constexpr double kStep = 1e-5;
  Array gradient;
  for (double& value : in[i]) {
    const double at = value;
    value = at + kStep;
    const double above = dot(c.formula(in), dy);
    value = at - kStep;
    const double below = dot(c.formula(in), dy);
    value = at;
    gradient.push_back((above - below) / (2 * kStep));
  }
  return gradient;
}

class OpGradients : public testing::TestWithParam<std::tuple<std::string, Case>> {
 protected:
  OpGradients() : isa_(std::get<0>(GetParam())) {}
  const Case& tested() const { return std::get<1>(GetParam()); }

 private:
  test::ScopedIsa isa_;
};

TEST_P(OpGradients, AreTheFormulasDifferences) {
  std::vector<Tensor> inputs = random_inputs(tested());
  Arrays exact;
  for (Tensor& input : inputs) {
    exact.push_back(test::doubles(input));
    input.track();
  }
  const Tensor y = tested().op(inputs);
  test::expect_near(y, tested().formula(exact), 1e-5 * tested().scale);
  const Tensor dy = test::random_tensor(y.shape(), 3);
  y.backward(dy);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    SCOPED_TRACE("input " + std::to_string(i));
    const Array want = differences(tested(), exact, i, test::doubles(dy));
    double largest = 0.0;
    for (const double value : want) {
      largest = std::max(largest, std::abs(value));
    }
    ASSERT_EQ(inputs[i].grad().shape(), inputs[i].shape());
    test::expect_near(inputs[i].grad(), want, 1e-5 * largest);
  }
}

// What is not tracked gets none, and the others the same bits as before.
TEST_P(OpGradients, GoToTrackedInputsOnly) {
  std::vector<Tensor> inputs = random_inputs(tested());
  for (Tensor& input : inputs) {
    input.track();
  }
  const Tensor y = tested().op(inputs);
  const Tensor dy = test::random_tensor(y.shape(), 3);
  y.backward(dy);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    std::vector<Tensor> others = random_inputs(tested());
    others[i].track();
    tested().op(others).backward(dy);
    for (std::size_t j = 0; j < inputs.size(); ++j) {
      if (i == j) {
        EXPECT_TRUE(test::same_bits(others[j].grad(), inputs[j].grad())) << j;
      } else {
        EXPECT_TRUE(others[j].grad().empty()) << j;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, OpGradients,
                         testing::Combine(testing::ValuesIn(nn::available_isas()),
                                          testing::ValuesIn(cases())),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace lamina

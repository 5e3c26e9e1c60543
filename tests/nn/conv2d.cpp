#include <algorithm>
#include <cstddef>
#include <gtest/gtest.h>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "nn/isa.h"
#include "nn/ops.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using nn::Conv2dOptions;

struct Case {
  const char* name;
  Shape x, w;
  Conv2dOptions options = {};
};

double window_sum(const Case& c, const Tensor& x, const Tensor& w, std::size_t n, std::size_t oy,
                  std::size_t ox, std::size_t o) {
  const auto& [stride, padding, dilation, groups, bounds] = c.options;
  const std::size_t group = o / (c.w[0] / groups);
  double sum = 0.0;
  for (std::size_t ky = 0; ky < c.w[1]; ++ky) {
    for (std::size_t kx = 0; kx < c.w[2]; ++kx) {
      const auto y = static_cast<std::ptrdiff_t>(oy * stride.h + ky * dilation.h) -
                     static_cast<std::ptrdiff_t>(padding.top);
      const auto column = static_cast<std::ptrdiff_t>(ox * stride.w + kx * dilation.w) -
                          static_cast<std::ptrdiff_t>(padding.left);
      if (y < 0 || column < 0 || y >= static_cast<std::ptrdiff_t>(c.x[1]) ||
          column >= static_cast<std::ptrdiff_t>(c.x[2])) {
        continue;
      }
      const std::size_t pixel =
          (n * c.x[1] + static_cast<std::size_t>(y)) * c.x[2] + static_cast<std::size_t>(column);
      for (std::size_t i = 0; i < c.w[3]; ++i) {
        sum += static_cast<double>(x.data()[pixel * c.x[3] + group * c.w[3] + i]) *
               w.data()[((o * c.w[1] + ky) * c.w[2] + kx) * c.w[3] + i];
      }
    }
  }
  return sum;
}

std::vector<double> naive(const Case& c, const Tensor& x, const Tensor& w, const Tensor& bias,
                          std::size_t out_h, std::size_t out_w) {
  std::vector<double> y;
  for (std::size_t n = 0; n < c.x[0]; ++n) {
    for (std::size_t oy = 0; oy < out_h; ++oy) {
      for (std::size_t ox = 0; ox < out_w; ++ox) {
        for (std::size_t o = 0; o < c.w[0]; ++o) {
          const double sum = window_sum(c, x, w, n, oy, ox, o) +
                             (bias.empty() ? 0.0 : static_cast<double>(bias.data()[o]));
          y.push_back(std::clamp(sum, static_cast<double>(c.options.bounds.lo),
                                 static_cast<double>(c.options.bounds.hi)));
        }
      }
    }
  }
  return y;
}

std::size_t out_extent(std::size_t in, std::size_t pads, std::size_t kernel, std::size_t dilation,
                       std::size_t stride) {
  std::size_t count = 0;
  for (std::size_t at = 0; at + dilation * (kernel - 1) < in + pads; at += stride) {
    ++count;
  }
  return count;
}

void check_case(const Case& c, const Tensor& bias) {
  const Tensor x = test::random_tensor(c.x, 1);
  const Tensor w = test::random_tensor(c.w, 2);
  const auto& [stride, padding, dilation, groups, bounds] = c.options;
  const std::size_t h =
      out_extent(c.x[1], padding.top + padding.bottom, c.w[1], dilation.h, stride.h);
  const std::size_t width =
      out_extent(c.x[2], padding.left + padding.right, c.w[2], dilation.w, stride.w);
  const Tensor y = nn::conv2d(x, w, bias, c.options);
  ASSERT_EQ(y.shape(), (Shape{c.x[0], h, width, c.w[0]}));
  EXPECT_EQ(nn::conv2d_shape(c.x, c.w, c.options), y.shape());
  const auto terms = static_cast<double>(c.w[1] * c.w[2] * c.w[3]);
  const double tolerance = 2.0 * std::numeric_limits<float>::epsilon() * (terms + 1.0);
  test::expect_near(y, naive(c, x, w, bias, h, width), tolerance);
}

class Conv2d : public testing::TestWithParam<std::tuple<std::string, Case>> {};

TEST_P(Conv2d, IsTheNaiveSum) {
  const auto& [isa, c] = GetParam();
  const test::ScopedIsa scoped(isa);
  check_case(c, Tensor());
  check_case(c, test::random_tensor({c.w[0]}, 3));
}

const Case kCases[] = {
    {"Pointwise", {2, 5, 7, 19}, {23, 1, 1, 19}},
    {"PointwiseBounds", {1, 6, 5, 16}, {48, 1, 1, 16}, {.bounds = {-0.5f, 0.75f}}},
    {"PointwiseManyRows", {1, 70, 71, 8}, {16, 1, 1, 8}},
    {"PointwiseManyColumns", {1, 3, 3, 200}, {130, 1, 1, 200}},
    {"PointwiseOneOfEach", {1, 1, 1, 1}, {1, 1, 1, 1}},
    {"PointwiseStride", {1, 7, 8, 5}, {6, 1, 1, 5}, {.stride = 2}},
    {"PointwisePadded", {1, 3, 4, 5}, {6, 1, 1, 5}, {.padding = {1, 0, 2, 1}}},
    {"PointwiseStridePaddedToTheSameSize",
     {1, 3, 3, 2},
     {2, 1, 1, 2},
     {.stride = 2, .padding = {2, 0, 0, 2}}},
    {"PointwiseGroups", {2, 4, 3, 12}, {18, 1, 1, 4}, {.groups = 3}},
    {"Stem", {1, 17, 18, 3}, {32, 3, 3, 3}, {.stride = 2, .padding = {1, 1, 1, 1}}},
    {"StemSame", {2, 16, 16, 3}, {8, 3, 3, 3}, {.stride = 2, .padding = {0, 1, 0, 1}}},
    {"ManyPixels", {1, 60, 61, 4}, {5, 3, 3, 4}, {.padding = {1, 1, 1, 1}}},
    {"FiveByThree", {1, 9, 8, 7}, {11, 5, 3, 7}, {.padding = {2, 1, 0, 3}}},
    {"UnevenStride", {1, 9, 11, 6}, {4, 3, 2, 6}, {.stride = {3, 2}}},
    {"Dilated", {1, 11, 12, 5}, {7, 3, 3, 5}, {.padding = {2, 2, 3, 3}, .dilation = {2, 3}}},
    {"Groups", {2, 6, 7, 12}, {8, 3, 3, 3}, {.padding = {1, 1, 1, 1}, .groups = 4}},
    {"GroupsStrideDilated",
     {1, 9, 9, 10},
     {20, 3, 3, 5},
     {.stride = 2, .padding = {2, 1, 0, 2}, .dilation = 2, .groups = 2}},
    {"ChannelMultiplier", {1, 5, 6, 4}, {12, 3, 3, 1}, {.padding = {1, 1, 1, 1}, .groups = 4}},
    {"Depthwise", {2, 9, 7, 37}, {37, 3, 3, 1}, {.padding = {1, 1, 1, 1}, .groups = 37}},
    {"DepthwiseManyRows", {1, 40, 31, 32}, {32, 3, 3, 1}, {.padding = {1, 1, 1, 1}, .groups = 32}},
    {"DepthwiseStride",
     {2, 9, 8, 33},
     {33, 3, 3, 1},
     {.stride = 2, .padding = {1, 1, 1, 1}, .groups = 33, .bounds = {0.0f, 1.0f}}},
    {"DepthwiseSame",
     {1, 8, 10, 16},
     {16, 3, 3, 1},
     {.stride = 2, .padding = {0, 1, 0, 1}, .groups = 16}},
    {"DepthwiseUnpadded", {1, 5, 4, 8}, {8, 3, 3, 1}, {.groups = 8}},
    {"DepthwiseWidePadding", {1, 4, 5, 8}, {8, 3, 3, 1}, {.padding = {3, 2, 2, 4}, .groups = 8}},
    {"DepthwiseStrideWidePadding",
     {1, 4, 5, 8},
     {8, 3, 3, 1},
     {.stride = 2, .padding = {1, 3, 0, 2}, .groups = 8}},
    {"DepthwiseDilated",
     {1, 8, 9, 5},
     {5, 3, 3, 1},
     {.padding = {2, 2, 2, 2}, .dilation = 2, .groups = 5}},
    {"DepthwiseFive", {1, 8, 9, 6}, {6, 5, 5, 1}, {.padding = {2, 2, 2, 2}, .groups = 6}},
    {"DepthwiseUnevenStride",
     {1, 8, 9, 6},
     {6, 3, 3, 1},
     {.stride = {1, 2}, .padding = {1, 1, 1, 1}, .groups = 6}},
    {"DepthwiseStrideThree",
     {1, 8, 9, 6},
     {6, 3, 3, 1},
     {.stride = 3, .padding = {1, 1, 1, 1}, .groups = 6}},
    {"WholeImageWindow", {2, 4, 3, 6}, {5, 4, 3, 6}},
    {"NoImages", {0, 4, 3, 6}, {5, 3, 3, 6}},
    {"NoImagesPointwise", {0, 4, 3, 6}, {5, 1, 1, 6}},
    {"NoImagesDepthwise", {0, 4, 3, 6}, {6, 3, 3, 1}, {.groups = 6}},
};

INSTANTIATE_TEST_SUITE_P(
    , Conv2d, testing::Combine(testing::ValuesIn(nn::available_isas()), testing::ValuesIn(kCases)),
    [](const auto& tested) { return std::get<0>(tested.param) + std::get<1>(tested.param).name; });

TEST(SamePadding, GivesTheCeilingAndPutsTheOddPixelLast) {
  EXPECT_EQ(nn::same_padding(224, 3, 2), (nn::Padding{0, 1, 0, 1}));
  EXPECT_EQ(nn::same_padding(113, 3, 2), (nn::Padding{1, 1, 1, 1}));
  EXPECT_EQ(nn::same_padding({7, 8}, 3, 1), (nn::Padding{1, 1, 1, 1}));
  EXPECT_EQ(nn::same_padding(7, {2, 4}, 1), (nn::Padding{0, 1, 1, 2}));
  EXPECT_EQ(nn::same_padding(9, 3, 1, 2), (nn::Padding{2, 2, 2, 2}));
  EXPECT_EQ(nn::same_padding(9, 1, 4), (nn::Padding{}));
}

}  // namespace
}  // namespace lamina

#include <gtest/gtest.h>

#include "nn/ops.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

void expect_refused(const Shape& x, const Shape& w, const nn::Conv2dOptions& options,
                    const std::string& message, const Shape& bias = {0}) {
  test::expect_error(
      [&] { nn::conv2d(Tensor::zeros(x), Tensor::zeros(w), Tensor::zeros(bias), options); },
      message);
}

TEST(Conv2dErrors, Ranks) {
  expect_refused({3, 4}, {2, 1, 1, 4}, {}, "conv2d: input must be [N, H, W, C]: got [3, 4]");
  expect_refused({1, 3, 4, 4}, {2, 4}, {},
                 "conv2d: weight must be [O, KH, KW, C / groups]: got [2, 4]");
  expect_refused({1, 3, 4, 4}, {2, 0, 1, 4}, {},
                 "conv2d: weight must be [O, KH, KW, C / groups]: got [2, 0, 1, 4]");
}

TEST(Conv2dErrors, Channels) {
  expect_refused({1, 56, 56, 24}, {144, 1, 1, 32}, {},
                 "conv2d: input channels must equal weight channels x groups: input "
                 "[1, 56, 56, 24] (NHWC) has 24, weight [144, 1, 1, 32] (OHWI) x 1 group needs 32");
  expect_refused({1, 5, 5, 24}, {24, 3, 3, 1}, {.groups = 12},
                 "conv2d: input channels must equal weight channels x groups: input "
                 "[1, 5, 5, 24] (NHWC) has 24, weight [24, 3, 3, 1] (OHWI) x 12 groups needs 12");
}

TEST(Conv2dErrors, Groups) {
  expect_refused({1, 5, 5, 8}, {6, 3, 3, 2}, {.groups = 4},
                 "conv2d: output channels must be a multiple of the groups: weight [6, 3, 3, 2] "
                 "(OHWI) has 6, groups are 4");
}

TEST(Conv2dErrors, Bias) {
  expect_refused({1, 5, 5, 8}, {6, 1, 1, 8}, {},
                 "conv2d: bias must have one value for each output: bias is [8], weight "
                 "[6, 1, 1, 8] needs [6]",
                 {8});
  expect_refused({1, 5, 5, 8}, {6, 1, 1, 8}, {},
                 "conv2d: bias must have one value for each output: bias is [6, 1], weight "
                 "[6, 1, 1, 8] needs [6]",
                 {6, 1});
}

TEST(Conv2dErrors, Window) {
  expect_refused({1, 4, 6, 1}, {1, 3, 3, 1}, {.padding = {0, 0, 1, 0}, .dilation = 2},
                 "conv2d: window must fit in the padded image: weight [1, 3, 3, 1] (OHWI) with "
                 "dilation covers 5 x 5, input [1, 4, 6, 1] (NHWC) with padding is 4 x 7");
  expect_refused({1, 0, 6, 1}, {1, 3, 3, 1}, {.padding = {2, 2, 0, 0}},
                 "conv2d: window must fit in the padded image: weight [1, 3, 3, 1] (OHWI) with "
                 "dilation covers 3 x 3, input [1, 0, 6, 1] (NHWC) with padding is 4 x 6");
}

TEST(Conv2dErrors, Numbers) {
  const Shape x = {1, 5, 5, 8};
  const Shape w = {6, 1, 1, 8};
  const std::string rule = "conv2d: strides, dilations and groups must be from 1 to 1048576: got ";
  expect_refused(x, w, {.stride = {1, 0}}, rule + "0");
  expect_refused(x, w, {.dilation = {2000000, 1}}, rule + "2000000");
  expect_refused(x, w, {.groups = 0}, rule + "0");
  expect_refused(x, w, {.padding = {.left = ~std::size_t{0}}},
                 "conv2d: padding must be at most 1048576: got 18446744073709551615");
  expect_refused(x, w, {.bounds = {6.0f, 0.0f}},
                 "conv2d: bounds must be in order: lo is 6, hi is 0");
}

TEST(Conv2dErrors, SamePadding) {
  test::expect_error(
      [] {
        nn::same_padding(5, {3, 2}, {1, 0});
      },
      "same_padding: kernel and stride must be at least 1: kernel is 2, stride 0");
  test::expect_error(
      [] {
        nn::same_padding(5, {0, 2}, 1);
      },
      "same_padding: kernel and stride must be at least 1: kernel is 0, stride 1");
}

}  // namespace
}  // namespace lamina

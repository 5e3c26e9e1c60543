#include <algorithm>
#include <initializer_list>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

// Small problems worked out by hand, on every table: what keeps the reference itself honest.
namespace lamina::test {
namespace {

Array values(std::initializer_list<float> list) {
  Array array({.cols = list.size()});
  std::copy(list.begin(), list.end(), array.data());
  return array;
}

// [1 2 3; 4 5 6] x [1 0; 2 1; 0 -1] + [10 20] = [15 19; 24 19], at most 20; plus the residual.
void gemm(const KernelTable& table) {
  const Array a = values({1, 2, 3, 4, 5, 6});
  const Array b = values({1, 0, 2, 1, 0, -1});
  const Array bias = values({10, 20});
  const Array residual = values({100, 200, 300, 400});
  Array packed({.cols = table.packed_size(2, 3)});
  table.pack({.n = 2,
              .k = 3,
              .panel = 1,
              .b = b.data(),
              .stride_n = 1,
              .stride_k = 2,
              .packed = packed.data()});
  Array c({.cols = 4});
  table.gemm({.m = 2,
              .n = 2,
              .k = 3,
              .panel = 1,
              .a = a.data(),
              .lda = 3,
              .packed = packed.data(),
              .bias = bias.data(),
              .residual = residual.data(),
              .ld_residual = 2,
              .c = c.data(),
              .ldc = 2,
              .lo = -kInfinity,
              .hi = 20.0f});
  expect_same_bits(c, values({115, 219, 320, 419}));
}

constexpr kernels::Window kSquare = {.in_h = 2,
                                     .in_w = 3,
                                     .out_h = 2,
                                     .out_w = 3,
                                     .kernel_h = 3,
                                     .kernel_w = 3,
                                     .stride_h = 1,
                                     .stride_w = 1,
                                     .dilation_h = 1,
                                     .dilation_w = 1,
                                     .pad_top = 1,
                                     .pad_left = 1};

// [1 2 3; 4 5 6] under the window [1 2 3; 4 5 6; 7 8 9], zeros around, minus 90, at least zero.
void depthwise(const KernelTable& table) {
  const Array x = values({1, 2, 3, 4, 5, 6});
  const Array w = values({1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Array bias = values({-90});
  for (const auto kernel : {table.depthwise3x3, table.depthwise}) {
    Array y({.cols = 6});
    kernel({.window = kSquare,
            .channels = 1,
            .row_begin = 0,
            .row_end = 2,
            .x = x.data(),
            .w = w.data(),
            .bias = bias.data(),
            .y = y.data(),
            .lo = 0.0f,
            .hi = kInfinity});
    expect_same_bits(y, values({4, 64, 16, 0, 1, 0}));
  }
}

// Pixels 0 and 5 of the same: what the window sees in the upper left and the lower right.
void im2col(const KernelTable& table) {
  const Array x = values({1, 2, 3, 4, 5, 6});
  Array columns({.cols = 9});
  table.im2col({.window = kSquare,
                .channels = 1,
                .pixel_begin = 0,
                .pixel_end = 1,
                .x = x.data(),
                .ldx = 1,
                .columns = columns.data()});
  expect_same_bits(columns, values({0, 0, 0, 0, 1, 2, 0, 4, 5}));
  table.im2col({.window = kSquare,
                .channels = 1,
                .pixel_begin = 5,
                .pixel_end = 6,
                .x = x.data(),
                .ldx = 1,
                .columns = columns.data()});
  expect_same_bits(columns, values({2, 3, 0, 5, 6, 0, 0, 0, 0}));
}

void pointwise(const KernelTable& table) {
  const Array x = values({1, -2, 3, 4, 50, 6});
  Array mean({.cols = 3});
  table.mean_rows({.rows = 2, .channels = 3, .x = x.data(), .ldx = 3, .y = mean.data()});
  expect_same_bits(mean, values({2.5f, 24, 4.5f}));

  const Array scale = values({2, -1, 0.5f});
  const Array shift = values({0, 1, -1});
  Array y({.cols = 6});
  table.scale_shift({.rows = 2,
                     .channels = 3,
                     .x = x.data(),
                     .scale = scale.data(),
                     .shift = shift.data(),
                     .y = y.data(),
                     .lo = 0.0f,
                     .hi = 6.0f});
  expect_same_bits(y, values({2, 3, 0.5f, 6, 0, 2}));

  table.add({.count = 6, .a = x.data(), .b = x.data(), .y = y.data(), .lo = -3.0f, .hi = 9.0f});
  expect_same_bits(y, values({2, -3, 6, 8, 9, 9}));
  table.clamp({.count = 6, .x = x.data(), .y = y.data(), .lo = 0.0f, .hi = 6.0f});
  expect_same_bits(y, values({1, 0, 3, 4, 6, 6}));
}

// e^0 : e^-1 : e^-3, and a shift of the row changes nothing.
void softmax(const KernelTable& table) {
  for (const float shift : {0.0f, 1000.0f, -1000.0f}) {
    const Array x = values({3 + shift, 2 + shift, shift});
    Array y({.cols = 3});
    table.softmax({.rows = 1, .n = 3, .x = x.data(), .y = y.data()});
    expect_near(y, values({0.70538451f, 0.25949646f, 0.03511903f}), 1.5e-7);
  }
}

}  // namespace

void add_known_value_cases(const KernelTable& table) {
  add_case("known_values", table, "gemm", [&table] { gemm(table); });
  add_case("known_values", table, "depthwise", [&table] { depthwise(table); });
  add_case("known_values", table, "im2col", [&table] { im2col(table); });
  add_case("known_values", table, "pointwise", [&table] { pointwise(table); });
  add_case("known_values", table, "softmax", [&table] { softmax(table); });
}

}  // namespace lamina::test

#include <algorithm>

#include "nn/ops/blocks.h"
#include "nn/ops/conv2d.h"
#include "nn/plan/step_call.h"
#include "nn/plan/step_memory.h"
#include "nn/plan/weights.h"

namespace lamina::nn {
namespace {

// Rows of x times some panels of the matrix.
void multiply(const StepCall& call, Range rows, Range panels) {
  const PackedMatrix& matrix = call.step.matrix;
  const std::size_t width = matrix.panel * call.kernels.lanes;
  const std::size_t column = panels.begin * width;
  const std::size_t first = rows.begin * matrix.n + column;
  const float* bias = call.weights_at(matrix.bias);
  call.kernels.gemm({.m = rows.end - rows.begin,
                     .n = std::min(panels.end * width, matrix.n) - column,
                     .k = matrix.k,
                     .panel = matrix.panel,
                     .a = call.x + rows.begin * matrix.k,
                     .lda = matrix.k,
                     .packed = call.weights_at(matrix.values) + column * matrix.k,
                     .bias = bias == nullptr ? nullptr : bias + column,
                     .residual = call.residual == nullptr ? nullptr : call.residual + first,
                     .ld_residual = matrix.n,
                     .c = call.y + first,
                     .ldc = matrix.n,
                     .lo = call.step.bounds.lo,
                     .hi = call.step.bounds.hi});
}

void convolve_pixels(const StepCall& call, std::size_t group, Range pixels) {
  const PackedMatrix& matrix = call.step.matrix;
  const std::size_t channels = call.step.channels / call.step.groups;
  const std::size_t out_channels = matrix.n * call.step.groups;
  const std::size_t column = group * matrix.n;
  const std::size_t first = pixels.begin * out_channels + column;
  const float* bias = call.weights_at(matrix.bias);
  call.kernels.im2col({.window = call.step.window,
                       .channels = channels,
                       .pixel_begin = pixels.begin,
                       .pixel_end = pixels.end,
                       .x = call.x + group * channels,
                       .ldx = call.step.channels,
                       .columns = call.scratch});
  call.kernels.gemm({.m = pixels.end - pixels.begin,
                     .n = matrix.n,
                     .k = matrix.k,
                     .panel = matrix.panel,
                     .a = call.scratch,
                     .lda = matrix.k,
                     .packed = call.weights_at(matrix.values) +
                               group * group_floats(call.kernels, matrix.n, matrix.k),
                     .bias = bias == nullptr ? nullptr : bias + column,
                     .residual = call.residual == nullptr ? nullptr : call.residual + first,
                     .ld_residual = out_channels,
                     .c = call.y + first,
                     .ldc = out_channels,
                     .lo = call.step.bounds.lo,
                     .hi = call.step.bounds.hi});
}

}  // namespace

void run_product(const StepCall& call) {
  const PackedMatrix& matrix = call.step.matrix;
  const std::size_t panels = divide_up(matrix.n, matrix.panel * call.kernels.lanes);
  if (call.step.rows < kFewRows) {
    multiply(call, {0, call.step.rows}, call.part_of(panels));
  } else {
    multiply(call, call.part_of(call.step.rows), {0, panels});
  }
}

void run_convolution(const StepCall& call) {
  const Range pixels = call.part_of(call.step.window.out_h * call.step.window.out_w);
  for (std::size_t group = 0; group < call.step.groups; ++group) {
    for (std::size_t at = pixels.begin; at < pixels.end; at += call.step.rows_at_once) {
      convolve_pixels(call, group, {at, std::min(pixels.end, at + call.step.rows_at_once)});
    }
  }
}

void run_depthwise(const StepCall& call) {
  const Range rows = call.part_of(call.step.window.out_h);
  const auto kernel =
      is_depthwise3x3(call.step.window) ? call.kernels.depthwise3x3 : call.kernels.depthwise;
  kernel({.window = call.step.window,
          .channels = call.step.channels,
          .row_begin = rows.begin,
          .row_end = rows.end,
          .x = call.x,
          .w = call.weights_at(call.step.taps),
          .bias = call.weights_at(call.step.taps_bias),
          .y = call.y,
          .lo = call.step.bounds.lo,
          .hi = call.step.bounds.hi});
}

void run_inverted_residual(const StepCall& call) {
  const Range rows = call.part_of(call.step.window.out_h);
  kernels::InvertedResidualArgs args = block_shape(call.step);
  args.row_begin = rows.begin;
  args.row_end = rows.end;
  args.x = call.x;
  args.expand = call.weights_at(call.step.expand.values);
  args.expand_panel = call.step.expand.panel;
  args.expand_bias = call.weights_at(call.step.expand.bias);
  args.depthwise = call.weights_at(call.step.taps);
  args.depthwise_bias = call.weights_at(call.step.taps_bias);
  args.project = call.weights_at(call.step.matrix.values);
  args.project_panel = call.step.matrix.panel;
  args.project_bias = call.weights_at(call.step.matrix.bias);
  args.residual = call.residual;
  args.y = call.y;
  args.lo = call.step.inner_bounds.lo;
  args.hi = call.step.inner_bounds.hi;
  args.project_lo = call.step.bounds.lo;
  args.project_hi = call.step.bounds.hi;
  args.scratch = call.scratch;
  call.kernels.inverted_residual(args);
}

}  // namespace lamina::nn

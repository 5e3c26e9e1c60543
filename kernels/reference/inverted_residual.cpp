#include "kernels/reference/functions.h"

// For each output row: make the three hidden rows under it, zeros outside of the image; filter
// them; project. Nothing is kept from row to row.
namespace lamina::kernels::reference {
namespace {

constexpr std::size_t kTaps = 3;

std::size_t expand_depth(const InvertedResidualArgs& args) {
  return args.first.kernel_h * args.first.kernel_w * args.in_channels;
}

void hidden_row(const InvertedResidualArgs& args, std::size_t y, float* columns, float* hidden) {
  const std::size_t pixels = args.window.in_w;
  if (y >= args.window.in_h) {
    for (std::size_t i = 0; i < pixels * args.hidden; ++i) {
      hidden[i] = 0.0f;
    }
    return;
  }
  if (args.expand == nullptr) {
    for (std::size_t i = 0; i < pixels * args.hidden; ++i) {
      hidden[i] = args.x[y * pixels * args.hidden + i];
    }
    return;
  }
  im2col({.window = args.first,
          .channels = args.in_channels,
          .pixel_begin = y * pixels,
          .pixel_end = (y + 1) * pixels,
          .x = args.x,
          .ldx = args.in_channels,
          .columns = columns});
  gemm({.m = pixels,
        .n = args.hidden,
        .k = expand_depth(args),
        .panel = args.expand_panel,
        .a = columns,
        .lda = expand_depth(args),
        .packed = args.expand,
        .bias = args.expand_bias,
        .residual = nullptr,
        .ld_residual = 0,
        .c = hidden,
        .ldc = args.hidden,
        .lo = args.lo,
        .hi = args.hi});
}

void filter(const InvertedResidualArgs& args, const float* hidden, float* filtered) {
  Window rows = args.window;
  rows.in_h = kTaps;
  rows.out_h = 1;
  rows.pad_top = 0;
  depthwise({.window = rows,
             .channels = args.hidden,
             .row_begin = 0,
             .row_end = 1,
             .x = hidden,
             .w = args.depthwise,
             .bias = args.depthwise_bias,
             .y = filtered,
             .lo = args.lo,
             .hi = args.hi});
}

void project(const InvertedResidualArgs& args, std::size_t row, const float* filtered) {
  const std::size_t first = row * args.window.out_w * args.out_channels;
  gemm({.m = args.window.out_w,
        .n = args.out_channels,
        .k = args.hidden,
        .panel = args.project_panel,
        .a = filtered,
        .lda = args.hidden,
        .packed = args.project,
        .bias = args.project_bias,
        .residual = args.residual == nullptr ? nullptr : args.residual + first,
        .ld_residual = args.out_channels,
        .c = args.y + first,
        .ldc = args.out_channels,
        .lo = args.project_lo,
        .hi = args.project_hi});
}

}  // namespace

std::size_t inverted_residual_scratch(const InvertedResidualArgs& args) {
  const std::size_t columns = args.expand == nullptr ? 0 : args.window.in_w * expand_depth(args);
  return (kTaps * args.window.in_w + args.window.out_w) * args.hidden + columns;
}

void inverted_residual(const InvertedResidualArgs& args) {
  float* hidden = args.scratch;
  float* filtered = hidden + kTaps * args.window.in_w * args.hidden;
  float* columns = filtered + args.window.out_w * args.hidden;
  for (std::size_t row = args.row_begin; row < args.row_end; ++row) {
    for (std::size_t ky = 0; ky < kTaps; ++ky) {
      const std::size_t y = row * args.window.stride_h + ky - args.window.pad_top;
      hidden_row(args, y, columns, hidden + ky * args.window.in_w * args.hidden);
    }
    filter(args, hidden, filtered);
    project(args, row, filtered);
  }
}

}  // namespace lamina::kernels::reference

#pragma once

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

/// The first convolution of an inverted residual, a part of the hidden tensor at a time.
namespace lamina::kernels::LAMINA_ISA {

/// A panel of the hidden channels: what makes them.
struct HiddenPanel {
  std::size_t begin;     // the first channel
  std::size_t channels;  // of the panel
};

/// Pixels x_begin to x_end of rows y_begin to y_end of the hidden tensor.
struct HiddenPart {
  std::size_t y_begin, y_end;
  std::size_t x_begin, x_end;
};

class FirstConvolution {
 public:
  /// `scratch` has scratch_floats(args).
  FirstConvolution(const InvertedResidualArgs& args, float* scratch)
      : args_(args), edges_(scratch) {}

  static std::size_t scratch_floats(const InvertedResidualArgs& args) {
    return args.first.kernel_h * edge_floats(args);
  }

  static bool is_pointwise(const InvertedResidualArgs& args) {
    return args.first.kernel_h * args.first.kernel_w == 1;
  }

  /// The part to `to`, its pixels one after the other. Of a window with more than one tap only
  /// whole rows.
  void run(const HiddenPanel& panel, const HiddenPart& part, float* to) const {
    const std::size_t row = (part.x_end - part.x_begin) * panel.channels;
    if (!is_pointwise(args_)) {
      for (std::size_t y = part.y_begin; y < part.y_end; ++y) {
        convolve_row(panel, y, to + (y - part.y_begin) * row);
      }
    } else if (part.x_end - part.x_begin == args_.window.in_w) {
      multiply(panel, part.y_begin * args_.window.in_w,
               (part.y_end - part.y_begin) * args_.window.in_w, to);
    } else {
      for (std::size_t y = part.y_begin; y < part.y_end; ++y) {
        multiply(panel, y * args_.window.in_w + part.x_begin, part.x_end - part.x_begin,
                 to + (y - part.y_begin) * row);
      }
    }
  }

 private:
  // Pixels at each end of a hidden row whose windows may leave the image: a tile of the product, so
  // that they cost no tile of their own.
  static constexpr std::size_t kEdgePixels = 14;

  static std::size_t edge_pixels(const InvertedResidualArgs& args) {
    const std::size_t pixels = args.first.out_w;
    return pixels < 2 * kEdgePixels ? pixels : kEdgePixels;
  }

  // Input pixels under the first or last pixels of a hidden row.
  static std::size_t edge_reach(const InvertedResidualArgs& args) {
    return (edge_pixels(args) - 1) * args.first.stride_w + args.first.kernel_w;
  }

  static std::size_t edge_floats(const InvertedResidualArgs& args) {
    const bool none = args.expand == nullptr || is_pointwise(args);
    return none ? 0 : round_up(edge_reach(args) * args.in_channels);
  }

  GemmArgs product(const HiddenPanel& panel, std::size_t k, float* to) const {
    const Window& first = args_.first;
    const std::size_t depth = first.kernel_h * first.kernel_w * args_.in_channels;
    return {.m = 0,
            .n = panel.channels,
            .k = k,
            .panel = args_.expand_panel,
            .a = nullptr,
            .lda = k,
            .packed = args_.expand + panel.begin * depth,
            .bias = args_.expand_bias == nullptr ? nullptr : args_.expand_bias + panel.begin,
            .residual = nullptr,
            .ld_residual = 0,
            .c = to,
            .ldc = panel.channels,
            .lo = args_.lo,
            .hi = args_.hi};
  }

  void multiply(const HiddenPanel& panel, std::size_t pixel, std::size_t count, float* to) const {
    GemmArgs args = product(panel, args_.in_channels, to);
    args.m = count;
    args.a = args_.x + pixel * args_.in_channels;
    gemm(args);
  }

  // A segment of the product for each of the window's rows: where windows leave the image, from
  // copies of the input's pixels with zeros beside them, else in place.
  void convolve_row(const HiddenPanel& panel, std::size_t y, float* to) const {
    const Window& first = args_.first;
    const std::size_t pixels = args_.window.in_w;
    const std::size_t edge = edge_pixels(args_);
    if (edge == pixels) {
      convolve_edge(panel, y, 0, to);
      return;
    }
    const std::size_t reach = (pixels - 1) * first.stride_w + first.kernel_w;
    const std::size_t left = first.pad_left > 0 ? edge : 0;
    const std::size_t right = reach > first.pad_left + first.in_w ? edge : 0;
    if (left > 0) {
      convolve_edge(panel, y, 0, to);
    }
    convolve_between(panel, y, left, pixels - right, to);
    if (right > 0) {
      convolve_edge(panel, y, pixels - right, to);
    }
  }

  // Input row under tap ky of hidden row y; null outside of the image.
  const float* input_row(std::size_t y, std::size_t ky) const {
    const Window& first = args_.first;
    const std::size_t padded = y * first.stride_h + ky;
    const std::size_t row = padded - first.pad_top;
    const bool inside = padded >= first.pad_top && row < first.in_h;
    return inside ? args_.x + row * first.in_w * args_.in_channels : nullptr;
  }

  void convolve_edge(const HiddenPanel& panel, std::size_t y, std::size_t begin, float* to) const {
    const Window& first = args_.first;
    const std::size_t floats = edge_floats(args_);
    const float* segments[kMaxFirstTaps];
    for (std::size_t ky = 0; ky < first.kernel_h; ++ky) {
      const float* from = input_row(y, ky);
      float* row = edges_ + ky * floats;
      if (from != nullptr) {
        zeros(floats, row);
        copy_pixels(row, from, begin * first.stride_w);
      }
      segments[ky] = from == nullptr ? nullptr : row;
    }
    convolve(panel, segments, begin, edge_pixels(args_), to);
  }

  // Pixels of an input row from `padded_x`, counted with the padding, as far as the edge reaches.
  void copy_pixels(float* to, const float* row, std::size_t padded_x) const {
    const Window& first = args_.first;
    const std::size_t reach = edge_reach(args_);
    const std::size_t outside = padded_x < first.pad_left ? first.pad_left - padded_x : 0;
    const std::size_t x = padded_x + outside - first.pad_left;
    if (outside >= reach || x >= first.in_w) {
      return;
    }
    const std::size_t wanted = reach - outside;
    const std::size_t there = first.in_w - x;
    copy(row + x * args_.in_channels, (wanted < there ? wanted : there) * args_.in_channels,
         to + outside * args_.in_channels);
  }

  void convolve_between(const HiddenPanel& panel, std::size_t y, std::size_t begin, std::size_t end,
                        float* to) const {
    const Window& first = args_.first;
    const float* segments[kMaxFirstTaps];
    const std::size_t x = begin * first.stride_w - first.pad_left;
    for (std::size_t ky = 0; ky < first.kernel_h; ++ky) {
      const float* row = input_row(y, ky);
      segments[ky] = row == nullptr ? nullptr : row + x * args_.in_channels;
    }
    convolve(panel, segments, begin, end - begin, to);
  }

  void convolve(const HiddenPanel& panel, const float* const* segments, std::size_t begin,
                std::size_t count, float* to) const {
    GemmArgs args =
        product(panel, args_.first.kernel_w * args_.in_channels, to + begin * panel.channels);
    args.m = count;
    args.lda = args_.first.stride_w * args_.in_channels;
    gemm_segments(args, segments, args_.first.kernel_h);
  }

  const InvertedResidualArgs& args_;
  float* edges_;
};

}  // namespace lamina::kernels::LAMINA_ISA

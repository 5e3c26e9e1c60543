#include "kernels/reference/functions.h"

// im2col: for each output pixel, for each tap: copy the channels, or zeros outside of the image.
// depthwise: for each output pixel, for each channel: the bias, plus input times weight for each
// tap inside of the image.
namespace lamina::kernels::reference {
namespace {

// The row or column of the input that a tap reads. One before the image wraps around to a huge
// number: a single comparison with the extent finds both sides of the padding.
std::size_t input_row(const Window& window, std::size_t oy, std::size_t ky) {
  return oy * window.stride_h + ky * window.dilation_h - window.pad_top;
}
std::size_t input_column(const Window& window, std::size_t ox, std::size_t kx) {
  return ox * window.stride_w + kx * window.dilation_w - window.pad_left;
}

void depthwise_pixel(const DepthwiseArgs& args, std::size_t oy, std::size_t ox) {
  const Window& window = args.window;
  float* y = args.y + (oy * window.out_w + ox) * args.channels;
  for (std::size_t c = 0; c < args.channels; ++c) {
    double sum = args.bias == nullptr ? 0.0 : double{args.bias[c]};
    for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
      const std::size_t iy = input_row(window, oy, ky);
      for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
        const std::size_t ix = input_column(window, ox, kx);
        if (iy < window.in_h && ix < window.in_w) {
          const float x = args.x[(iy * window.in_w + ix) * args.channels + c];
          const float w = args.w[(ky * window.kernel_w + kx) * args.channels + c];
          sum += double{x} * double{w};
        }
      }
    }
    y[c] = static_cast<float>(clamped(sum, args.lo, args.hi));
  }
}

}  // namespace

void im2col(const Im2colArgs& args) {
  const Window& window = args.window;
  float* column = args.columns;
  for (std::size_t pixel = args.pixel_begin; pixel < args.pixel_end; ++pixel) {
    for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
      const std::size_t iy = input_row(window, pixel / window.out_w, ky);
      for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
        const std::size_t ix = input_column(window, pixel % window.out_w, kx);
        const bool inside = iy < window.in_h && ix < window.in_w;
        for (std::size_t c = 0; c < args.channels; ++c) {
          *column++ = inside ? args.x[(iy * window.in_w + ix) * args.ldx + c] : 0.0f;
        }
      }
    }
  }
}

void depthwise(const DepthwiseArgs& args) {
  for (std::size_t oy = args.row_begin; oy < args.row_end; ++oy) {
    for (std::size_t ox = 0; ox < args.window.out_w; ++ox) {
      depthwise_pixel(args, oy, ox);
    }
  }
}

}  // namespace lamina::kernels::reference

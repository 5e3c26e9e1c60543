#include "kernels/reference/functions.h"

// input: for each input pixel, for each channel: dy times weight for each tap of an output pixel
// that reads it.
// weight: for each tap, for each channel: dy times input for each output pixel whose tap lies
// inside of the image.
namespace lamina::kernels::reference {
namespace {

// Along one axis: whether `tap` of some output reads `in`, and of which one.
struct Reader {
  bool exists;
  std::size_t out;
};

Reader reader(std::size_t in, std::size_t pad, std::size_t reach, std::size_t stride,
              std::size_t outputs) {
  const std::size_t padded = in + pad;
  if (padded < reach || (padded - reach) % stride != 0) {
    return {false, 0};
  }
  const std::size_t out = (padded - reach) / stride;
  return {out < outputs, out};
}

float input_gradient(const DepthwiseInputGradientArgs& args, std::size_t iy, std::size_t ix,
                     std::size_t c) {
  const Window& window = args.window;
  double sum = 0.0;
  for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
    const Reader y =
        reader(iy, window.pad_top, ky * window.dilation_h, window.stride_h, window.out_h);
    for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
      const Reader x =
          reader(ix, window.pad_left, kx * window.dilation_w, window.stride_w, window.out_w);
      if (y.exists && x.exists) {
        const float dy = args.dy[(y.out * window.out_w + x.out) * args.channels + c];
        const float w = args.w[(ky * window.kernel_w + kx) * args.channels + c];
        sum += double{dy} * double{w};
      }
    }
  }
  return static_cast<float>(sum);
}

double weight_gradient(const DepthwiseWeightGradientArgs& args, std::size_t ky, std::size_t kx,
                       std::size_t c) {
  const Window& window = args.window;
  double sum = 0.0;
  for (std::size_t oy = args.row_begin; oy < args.row_end; ++oy) {
    // Above and to the left of the image these wrap around to huge numbers.
    const std::size_t iy = oy * window.stride_h + ky * window.dilation_h - window.pad_top;
    for (std::size_t ox = 0; ox < window.out_w; ++ox) {
      const std::size_t ix = ox * window.stride_w + kx * window.dilation_w - window.pad_left;
      if (iy < window.in_h && ix < window.in_w) {
        const float dy = args.dy[(oy * window.out_w + ox) * args.channels + c];
        const float x = args.x[(iy * window.in_w + ix) * args.channels + c];
        sum += double{dy} * double{x};
      }
    }
  }
  return sum;
}

}  // namespace

void depthwise_input(const DepthwiseInputGradientArgs& args) {
  for (std::size_t iy = args.row_begin; iy < args.row_end; ++iy) {
    for (std::size_t ix = 0; ix < args.window.in_w; ++ix) {
      for (std::size_t c = 0; c < args.channels; ++c) {
        args.dx[(iy * args.window.in_w + ix) * args.channels + c] = input_gradient(args, iy, ix, c);
      }
    }
  }
}

void depthwise_weight(const DepthwiseWeightGradientArgs& args) {
  float* dw = args.dw;
  for (std::size_t ky = 0; ky < args.window.kernel_h; ++ky) {
    for (std::size_t kx = 0; kx < args.window.kernel_w; ++kx) {
      for (std::size_t c = 0; c < args.channels; ++c, ++dw) {
        *dw = static_cast<float>(double{*dw} + weight_gradient(args, ky, kx, c));
      }
    }
  }
}

}  // namespace lamina::kernels::reference

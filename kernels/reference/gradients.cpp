#include "kernels/reference/functions.h"

// gemm_tn: for each element of C: the sum over the rows of A and B, added to it.
// col2im: for each value of the input image: all taps of all output pixels that read it.
// clamp_gradient: element by element.
namespace lamina::kernels::reference {
namespace {

// The output position whose tap reads input position i: true with `o` set if there is one below
// `outputs`.
bool reads(std::size_t i, std::size_t tap, std::size_t stride, std::size_t pad, std::size_t outputs,
           std::size_t& o) {
  const std::size_t from_first = i + pad - tap;
  if (i + pad < tap || from_first % stride != 0) {
    return false;
  }
  o = from_first / stride;
  return o < outputs;
}

double columns_of(const Col2imArgs& args, std::size_t iy, std::size_t ix, std::size_t c) {
  const Window& window = args.window;
  const std::size_t width = window.kernel_h * window.kernel_w * args.channels;
  double sum = 0.0;
  for (std::size_t ky = 0; ky < window.kernel_h; ++ky) {
    std::size_t oy = 0;
    if (!reads(iy, ky * window.dilation_h, window.stride_h, window.pad_top, window.out_h, oy)) {
      continue;
    }
    for (std::size_t kx = 0; kx < window.kernel_w; ++kx) {
      std::size_t ox = 0;
      if (!reads(ix, kx * window.dilation_w, window.stride_w, window.pad_left, window.out_w, ox)) {
        continue;
      }
      const std::size_t pixel = oy * window.out_w + ox;
      if (args.pixel_begin <= pixel && pixel < args.pixel_end) {
        const std::size_t column = (ky * window.kernel_w + kx) * args.channels + c;
        sum += double{args.columns[(pixel - args.pixel_begin) * width + column]};
      }
    }
  }
  return sum;
}

}  // namespace

void gemm_tn(const GemmTnArgs& args) {
  for (std::size_t i = 0; i < args.m; ++i) {
    for (std::size_t j = 0; j < args.n; ++j) {
      double sum = 0.0;
      for (std::size_t p = 0; p < args.k; ++p) {
        sum += double{args.a[p * args.lda + i]} * double{args.b[p * args.ldb + j]};
      }
      float& c = args.c[i * args.ldc + j];
      c = static_cast<float>(double{c} + sum);
    }
  }
}

void col2im(const Col2imArgs& args) {
  for (std::size_t iy = 0; iy < args.window.in_h; ++iy) {
    for (std::size_t ix = 0; ix < args.window.in_w; ++ix) {
      for (std::size_t c = 0; c < args.channels; ++c) {
        float& x = args.x[(iy * args.window.in_w + ix) * args.ldx + c];
        x = static_cast<float>(double{x} + columns_of(args, iy, ix, c));
      }
    }
  }
}

void clamp_gradient(const ClampGradientArgs& args) {
  for (std::size_t i = 0; i < args.count; ++i) {
    args.dx[i] = args.lo < args.x[i] && args.x[i] < args.hi ? args.dy[i] : 0.0f;
  }
}

}  // namespace lamina::kernels::reference

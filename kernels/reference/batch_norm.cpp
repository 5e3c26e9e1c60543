#include "kernels/reference/functions.h"

// For each channel, for each row: the formula of kernels/gradients.h.
namespace lamina::kernels::reference {
namespace {

// dy, or zero where the forward pass y = clamp(x * scale + shift, lo, hi) met a bound.
template <class Args>
double passed_gradient(const Args& args, std::size_t i, std::size_t c) {
  const double x = double{args.x[i * args.channels + c]};
  const float y = static_cast<float>(x * double{args.scale[c]} + double{args.shift[c]});
  return args.lo < y && y < args.hi ? double{args.dy[i * args.channels + c]} : 0.0;
}

template <class Args>
double centered(const Args& args, std::size_t i, std::size_t c) {
  return double{args.x[i * args.channels + c]} - double{args.mean[c]};
}

}  // namespace

void moments(const MomentsArgs& args) {
  for (std::size_t c = 0; c < args.channels; ++c) {
    for (std::size_t i = 0; i < args.rows; ++i) {
      const double x = double{args.x[i * args.ldx + c]} - double{args.shift[c]};
      args.sums[c] += x;
      args.squares[c] += x * x;
    }
  }
}

void norm_sums(const NormSumsArgs& args) {
  for (std::size_t c = 0; c < args.channels; ++c) {
    for (std::size_t i = 0; i < args.rows; ++i) {
      const double g = passed_gradient(args, i, c);
      args.sum_dy[c] += g;
      args.sum_dy_x[c] += g * centered(args, i, c);
    }
  }
}

void norm_input(const NormInputGradientArgs& args) {
  for (std::size_t i = 0; i < args.rows; ++i) {
    for (std::size_t c = 0; c < args.channels; ++c) {
      const double g = passed_gradient(args, i, c);
      const double dx =
          g * double{args.a[c]} - centered(args, i, c) * double{args.b[c]} - double{args.d[c]};
      args.dx[i * args.channels + c] = static_cast<float>(dx);
    }
  }
}

}  // namespace lamina::kernels::reference

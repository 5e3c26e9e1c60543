#include <cmath>
#include <limits>

#include "kernels/reference/functions.h"

// For each row, for each channel: the formula of kernels/table.h. mean_rows adds the rows up into
// one channel after the other; softmax reads a row three times: maximum, sum, quotients.
namespace lamina::kernels::reference {

void mean_rows(const MeanArgs& args) {
  for (std::size_t c = 0; c < args.channels; ++c) {
    double sum = 0.0;
    for (std::size_t i = 0; i < args.rows; ++i) {
      sum += double{args.x[i * args.ldx + c]};
    }
    args.y[c] = static_cast<float>(sum / static_cast<double>(args.rows));
  }
}

void scale_shift(const ScaleShiftArgs& args) {
  for (std::size_t i = 0; i < args.rows; ++i) {
    for (std::size_t c = 0; c < args.channels; ++c) {
      const double x = double{args.x[i * args.channels + c]};
      double value = clamped(x * double{args.scale[c]} + double{args.shift[c]}, args.lo, args.hi);
      if (args.residual != nullptr) {
        value += double{args.residual[i * args.channels + c]};
      }
      args.y[i * args.channels + c] = static_cast<float>(value);
    }
  }
}

void add(const AddArgs& args) {
  for (std::size_t i = 0; i < args.count; ++i) {
    const double sum = double{args.a[i]} + double{args.b[i]};
    args.y[i] = static_cast<float>(clamped(sum, args.lo, args.hi));
  }
}

void clamp(const ClampArgs& args) {
  for (std::size_t i = 0; i < args.count; ++i) {
    args.y[i] = static_cast<float>(clamped(double{args.x[i]}, args.lo, args.hi));
  }
}

void softmax(const SoftmaxArgs& args) {
  for (std::size_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.n;
    float* y = args.y + i * args.n;
    double most = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < args.n; ++j) {
      most = double{x[j]} > most ? double{x[j]} : most;
    }
    double sum = 0.0;
    for (std::size_t j = 0; j < args.n; ++j) {
      sum += std::exp(double{x[j]} - most);
    }
    for (std::size_t j = 0; j < args.n; ++j) {
      y[j] = static_cast<float>(std::exp(double{x[j]} - most) / sum);
    }
  }
}

}  // namespace lamina::kernels::reference

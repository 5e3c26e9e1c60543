#include "core/autograd.h"
#include "nn/loss.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/ops/gradients.h"

namespace lamina::nn {
namespace {

float mean_square(const Tensor& x, const Tensor& target) {
  const std::span<const float> a = x.values();
  const std::span<const float> b = target.values();
  std::vector<double> sums(divide_up(a.size(), kTaskFloats));
  parallel_blocks(a.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const double error = double{a[i]} - double{b[i]};
      sums[begin / kTaskFloats] += error * error;
    }
  });
  double total = 0.0;
  for (const double sum : sums) {
    total += sum;
  }
  return static_cast<float>(total / static_cast<double>(a.size()));
}

// factor (x - target).
Tensor scaled_error(const Tensor& x, const Tensor& target, double factor) {
  Tensor error = Tensor::uninitialized(x.shape());
  float* to = error.data();
  parallel_blocks(x.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      to[i] = static_cast<float>(factor * (double{x.data()[i]} - double{target.data()[i]}));
    }
  });
  return error;
}

}  // namespace

Tensor mse(const Tensor& x, const Tensor& target) {
  check(x.shape() == target.shape() && !x.empty(),
        "mse: both must have one shape, not empty: x is ", x.shape(), ", target is ",
        target.shape());
  return record("mse", Tensor::full({}, mean_square(x, target)), {&x, &target},
                [a = Saved(x), b = Saved(target)](const Tensor& dy) {
                  const double factor = 2.0 * double{*dy.data()} / static_cast<double>(a->size());
                  return std::vector<Tensor>{
                      a.is_tracked() ? scaled_error(a.get(), b.get(), factor) : Tensor(),
                      b.is_tracked() ? scaled_error(b.get(), a.get(), factor) : Tensor()};
                });
}

}  // namespace lamina::nn

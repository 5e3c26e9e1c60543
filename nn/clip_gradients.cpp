#include "nn/clip_gradients.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "nn/optim/checks.h"
#include "nn/optim/runs.h"

namespace lamina::nn {
namespace {

std::vector<Tensor> gradients_of(std::span<const NamedTensor> parameters) {
  std::vector<Tensor> gradients;
  for (const NamedTensor& parameter : parameters) {
    gradients.push_back(parameter.value->grad());
  }
  return gradients;
}

std::vector<Run> runs_of(const std::vector<Tensor>& tensors) {
  std::vector<std::size_t> sizes;
  for (const Tensor& tensor : tensors) {
    sizes.push_back(tensor.size());
  }
  return cut_runs(sizes);
}

// Sums side by side, which the compiler can keep in vectors.
double sum_of_squares(const float* x, std::size_t count) {
  constexpr std::size_t kSums = 16;
  std::array<double, kSums> sums{};
  const std::size_t whole = count - count % kSums;
  for (std::size_t i = 0; i < whole; i += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) {
      const double value = x[i + j];
      sums[j] += value * value;
    }
  }
  for (std::size_t i = whole; i < count; ++i) {
    sums[i - whole] += static_cast<double>(x[i]) * x[i];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

double norm_of(const std::vector<Tensor>& gradients) {
  const std::vector<Run> runs = runs_of(gradients);
  std::vector<double> sums(runs.size());
  parallel_for(runs.size(), [&](std::size_t i) {
    const auto& [tensor, begin, end] = runs[i];
    sums[i] = sum_of_squares(gradients[tensor].data() + begin, end - begin);
  });
  return std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
}

// What the leaves of a sum get is one memory, which must not be changed twice.
void unshare(std::span<const NamedTensor> parameters, std::vector<Tensor>& gradients) {
  for (const NamedTensor& parameter : parameters) {
    parameter.value->clear_grad();
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (gradients[i].is_shared()) {
      gradients[i] = gradients[i].clone();
    }
  }
}

template <class Change>
void change_values(std::span<const NamedTensor> parameters, std::vector<Tensor> gradients,
                   const Change& change) {
  unshare(parameters, gradients);
  std::vector<float*> values;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    values.push_back(gradients[i].data());
    if (!gradients[i].empty()) {
      parameters[i].value->set_grad(gradients[i]);
    }
  }
  const std::vector<Run> runs = runs_of(gradients);
  parallel_for(runs.size(), [&](std::size_t i) {
    const auto& [tensor, begin, end] = runs[i];
    std::transform(values[tensor] + begin, values[tensor] + end, values[tensor] + begin, change);
  });
}

}  // namespace

double gradient_norm(std::span<const NamedTensor> parameters) {
  return norm_of(gradients_of(parameters));
}

double clip_gradient_norm(std::span<const NamedTensor> parameters, double max_norm) {
  check_positive("clip_gradient_norm", "max_norm", max_norm);
  constexpr double kEpsilon = 1e-6;
  std::vector<Tensor> gradients = gradients_of(parameters);
  const double norm = norm_of(gradients);
  const double scale = max_norm / (norm + kEpsilon);
  if (std::isfinite(norm) && scale < 1.0) {
    change_values(parameters, std::move(gradients),
                  [s = static_cast<float>(scale)](float x) { return s * x; });
  }
  return norm;
}

double clip_gradient_values(std::span<const NamedTensor> parameters, double max_value) {
  check_positive("clip_gradient_values", "max_value", max_value);
  std::vector<Tensor> gradients = gradients_of(parameters);
  const double norm = norm_of(gradients);
  const auto hi = static_cast<float>(max_value);
  change_values(parameters, std::move(gradients), [hi](float x) {
    x = x < -hi ? -hi : x;
    return x > hi ? hi : x;
  });
  return norm;
}

}  // namespace lamina::nn

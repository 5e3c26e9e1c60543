#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

/// What training makes small: one value, shape [], in double and then rounded; softmax in float32.
namespace lamina::nn {

struct CrossEntropyOptions {
  /// Each row's target t becomes (1 - label_smoothing) t + label_smoothing / classes (Szegedy et
  /// al. 2016, section 7).
  double label_smoothing = 0.0;
};

/// The mean over the rows of -sum_k t_k log softmax(x)_k, with t = 1 at the row's label and 0
/// elsewhere. logits [N, classes], one label below `classes` for each row. Throws Error on another
/// rank or number of labels, a label or a smoothing out of range, and for no rows.
Tensor cross_entropy(const Tensor& logits, std::span<const std::uint32_t> labels,
                     const CrossEntropyOptions& options = {});

/// The same with t given, [N, classes], as mixed pictures have it. Constant: no gradient goes to
/// the targets.
Tensor cross_entropy(const Tensor& logits, const Tensor& targets,
                     const CrossEntropyOptions& options = {});

/// The mean over all values of (x - target)^2. Throws Error unless both have one shape and a value.
Tensor mse(const Tensor& x, const Tensor& target);

}  // namespace lamina::nn

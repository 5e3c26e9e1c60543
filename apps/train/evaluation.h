#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "apps/train/source.h"
#include "core/tensor.h"

namespace lamina::apps {

/// Input of a batch -> logits [N, classes].
using Forward = std::function<Tensor(const Tensor&)>;

/// What a network makes of labeled pictures.
struct Scores {
  double loss = 0.0;  ///< mean cross-entropy, without smoothing
  double top1 = 0.0;  ///< share of pictures, like top5
  double top5 = 0.0;
  std::size_t pictures = 0;
  std::vector<std::vector<std::size_t>> confusion;  ///< [label][prediction]
};

/// How many classes have a higher logit than that of `label`, or an equal one and a lower index; a
/// NaN is behind all others.
std::size_t rank_of(const float* logits, std::size_t classes, std::size_t label);

/// Scores of one epoch of `source`, from its beginning; empty when a signal asked to stop.
std::optional<Scores> evaluate(Source& source, std::size_t classes, const Forward& forward);

}  // namespace lamina::apps

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/support/bar.h"
#include "core/tensor.h"

namespace lamina::apps {

/// One class, as a classifier sees it.
struct Prediction {
  std::size_t index;
  std::string label;
  float probability;
  float logit;
};

/// The `count` classes of the highest logits, highest first, equal ones by index; all classes when
/// there are fewer. logits is [1, classes]; probabilities are its softmax.
std::vector<Prediction> top_predictions(const Tensor& logits,
                                        const std::vector<std::string>& labels, std::size_t count);

/// A line each: probability in percent, bar, label, cut to the canvas.
std::string as_table(const std::vector<Prediction>& predictions, const Canvas& canvas);

}  // namespace lamina::apps

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/terminal.h"
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

struct TableStyle {
  Charset charset = Charset::ascii;
  std::optional<std::size_t> columns;  ///< of the terminal, where there is one to fit into
};

/// A line each: probability in percent, bar, label.
std::string as_table(const std::vector<Prediction>& predictions, const TableStyle& style);

}  // namespace lamina::apps

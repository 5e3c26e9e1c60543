#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "apps/train/evaluation.h"

/// What a confusion matrix [label][prediction] says.
namespace lamina::apps {

using ConfusionMatrix = std::vector<std::vector<std::size_t>>;

/// Of each class, the share of its pictures that is right; empty where there are none.
std::vector<std::optional<double>> recalls(const ConfusionMatrix& confusion);

/// Pictures of one class taken for another.
struct Confusion {
  std::size_t label, prediction;
  std::size_t pictures;
  double share;  ///< of the label's pictures
};

/// Those of most pictures first, `count` at most; equal ones in the matrix's order.
std::vector<Confusion> worst_confusions(const ConfusionMatrix& confusion, std::size_t count);

/// The classes of lowest recall first, `count` at most; those without pictures are left out.
std::vector<std::size_t> lowest_recalls(const ConfusionMatrix& confusion, std::size_t count);

}  // namespace lamina::apps

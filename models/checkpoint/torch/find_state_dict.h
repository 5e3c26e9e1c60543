#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/checkpoint/torch/pickle.h"
#include "models/checkpoint/torch/tensors.h"

namespace lamina::models::torch {

/// The dict of named tensors in what a file holds.
struct StateDict {
  Value dict;
  std::string path;                 ///< its keys joined by dots: "state_dict"; empty for the root
  std::vector<std::string> others;  ///< dicts of tensors beside it that were not chosen
  std::vector<Value> around;        ///< dicts that it was found in, the root first
};

/// Searches the root: dicts under known keys first ("model_ema" before "state_dict" before "model":
/// averaged weights are those whose accuracy is published), then the root's own tensors, then other
/// dicts and the items of tuples and lists. Each value is looked at once. Empty when there is none.
std::optional<StateDict> find_state_dict(const Pickle& pickle, const TensorReader& tensors);

}  // namespace lamina::models::torch

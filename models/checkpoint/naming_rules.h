#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "models/checkpoint/names.h"

/// Inside models/checkpoint only: the namings as tables.
namespace lamina::models {

/// How a tensor's axes are to be turned to become [O, I, KH, KW] or [O, I].
enum class Turn {
  none,
  hwio,        ///< a convolution's [KH, KW, I, O]
  hwoi,        ///< a depthwise convolution's [KH, KW, O, 1]
  classifier,  ///< [I, O], or [1, 1, I, O] of a 1x1 convolution
};

/// What becomes of a tensor.
struct Target {
  std::string name;  ///< ours; empty: the tensor is left out
  Turn turn = Turn::none;
  bool is_convolution = false;  ///< the weight of one, by which namings are told apart
};

/// Every tensor that a MobileNetV2 of this naming can have, with batch norm or folded.
std::map<std::string, Target, std::less<>> targets_of(Naming naming);

}  // namespace lamina::models

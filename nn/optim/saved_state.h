#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nn/state.h"

namespace lamina::nn {

/// Counters are saved as float32, which holds every whole number up to here; they stop there.
inline constexpr std::uint32_t kMaxCount = 1u << 24;

Tensor saved_counter(std::uint32_t count);

/// The counter of that name. Throws Error unless it is a whole number from 0 to kMaxCount.
std::uint32_t read_counter(std::string_view op, const std::string& name, const StateDict& state);

/// Throws Error, naming all that differs, unless `state` has the names and shapes of `own`.
void check_same_names(std::string_view op, StateDict& own, const StateDict& state);

/// Copies the values of `state` into the tensors of `own` with the same names.
void copy_values(StateDict& own, const StateDict& state);

}  // namespace lamina::nn

#include "nn/optim/saved_state.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace lamina::nn {

Tensor saved_counter(std::uint32_t count) { return Tensor::full({1}, static_cast<float>(count)); }

std::uint32_t read_counter(std::string_view op, const std::string& name, const StateDict& state) {
  const float count = state.at(name).values().front();
  check(count >= 0.0f && count <= static_cast<float>(kMaxCount) && count == std::floor(count), op,
        ": ", name, " must be a whole number from 0 to ", kMaxCount, ": got ", count);
  return static_cast<std::uint32_t>(count);
}

void check_same_names(std::string_view op, StateDict& own, const StateDict& state) {
  std::vector<NamedTensor> tensors;
  for (auto& [name, value] : own) {
    tensors.push_back({name, TensorKind::buffer, &value});
  }
  const std::string mismatch = state_mismatch(tensors, state);
  check(mismatch.empty(), op, ": saved state must fit: ", mismatch);
}

void copy_values(StateDict& own, const StateDict& state) {
  for (auto& [name, value] : own) {
    std::ranges::copy(state.at(name).values(), value.data());
  }
}

}  // namespace lamina::nn

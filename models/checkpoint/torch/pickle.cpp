#include "models/checkpoint/torch/pickle.h"

#include <algorithm>
#include <array>
#include <bit>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/pickle_machine.h"

namespace lamina::models::torch {

Pickle::Pickle(std::span<const std::uint8_t> bytes, const std::string& prefix) : bytes_(bytes) {
  PickleMachine(*this, prefix).run();
}

std::string_view Pickle::text(Value value) const {
  const Range range = nodes_[value.index].range;
  return text_of(bytes_.subspan(range.begin, range.size));
}

std::span<const Value> Pickle::items(Value value) const {
  const Node& node = nodes_[value.index];
  switch (node.kind) {
    case Kind::list:
    case Kind::dict:
      return containers_[node.range.begin];
    case Kind::tuple:
    case Kind::call:
    case Kind::persistent:
      return std::span(items_).subspan(node.range.begin, node.range.size);
    default:
      return {};
  }
}

Meaning Pickle::called(Value value) const {
  return is(value, Kind::call) ? global(items(value)[0]).meaning : Meaning::other;
}

}  // namespace lamina::models::torch

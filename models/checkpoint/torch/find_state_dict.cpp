#include "models/checkpoint/torch/find_state_dict.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"

namespace lamina::models::torch {
namespace {

// Best first.
constexpr auto kKnown = std::to_array<std::string_view>(
    {"model_ema", "state_dict_ema", "model_ema_state_dict", "ema_state_dict", "ema", "params_ema",
     "state_dict", "model_state_dict", "model_state", "model", "net", "network", "module",
     "weights", "params"});

bool is_training_state(std::string_view key) {
  return std::ranges::any_of(
      std::to_array<std::string_view>({"optim", "sched", "lr_sched", "scaler", "amp"}),
      [&](std::string_view start) { return key.starts_with(start); });
}

class Search {
 public:
  Search(const Pickle& pickle, const TensorReader& tensors)
      : pickle_(pickle), tensors_(tensors), seen_(pickle.values()) {}

  std::optional<StateDict> run() {
    if (!find(pickle_.root(), 0)) {
      return std::nullopt;
    }
    std::ranges::reverse(found_.around);
    return found_;
  }

 private:
  // Writes found_, from the dict outward.
  bool find(Value value, std::size_t level) {
    if (level > limits::kTorchNesting || seen_[value.index]) {
      return false;
    }
    seen_[value.index] = true;
    switch (pickle_.kind(value)) {
      case Kind::dict:
        return find_in_dict(value, level);
      case Kind::tuple:
      case Kind::list:
        return find_in_sequence(value, level);
      default:
        return false;
    }
  }

  bool find_in_dict(Value dict, std::size_t level) {
    const std::vector<Value> known = known_items(dict);
    for (std::size_t i = 0; i < known.size(); i += 2) {
      if (find(known[i + 1], level + 1)) {
        note_others(std::span(known).subspan(i + 2));
        return leave(dict, pickle_.text(known[i]));
      }
    }
    if (holds_tensors(dict)) {
      found_.dict = dict;
      return true;
    }
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (pickle_.is(items[i], Kind::text) && !is_training_state(pickle_.text(items[i])) &&
          find(items[i + 1], level + 1)) {
        return leave(dict, pickle_.text(items[i]));
      }
    }
    return false;
  }

  bool find_in_sequence(Value sequence, std::size_t level) {
    const std::span<const Value> items = pickle_.items(sequence);
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (find(items[i], level + 1)) {
        return leave(sequence, std::to_string(i));
      }
    }
    return false;
  }

  bool leave(Value value, std::string_view key) {
    found_.path = found_.path.empty() ? std::string(key) : text(key, '.', found_.path);
    if (pickle_.is(value, Kind::dict)) {
      found_.around.push_back(value);
    }
    return true;
  }

  // Keys and values in turn, best first.
  std::vector<Value> known_items(Value dict) const {
    std::array<std::array<Value, 2>, kKnown.size()> known = {};
    std::array<bool, kKnown.size()> is_there = {};
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (pickle_.is(items[i], Kind::text)) {
        const auto* name = std::ranges::find(kKnown, pickle_.text(items[i]));
        if (name != kKnown.end()) {
          const auto rank = static_cast<std::size_t>(name - kKnown.begin());
          known[rank] = {items[i], items[i + 1]};
          is_there[rank] = true;
        }
      }
    }
    std::vector<Value> sorted;
    for (std::size_t rank = 0; rank < known.size(); ++rank) {
      if (is_there[rank]) {
        sorted.insert(sorted.end(), known[rank].begin(), known[rank].end());
      }
    }
    return sorted;
  }

  void note_others(std::span<const Value> known) {
    for (std::size_t i = 0; i < known.size(); i += 2) {
      if (pickle_.is(known[i + 1], Kind::dict) && !pickle_.items(known[i + 1]).empty()) {
        found_.others.push_back(shown(pickle_.text(known[i])));
      }
    }
  }

  bool holds_tensors(Value dict) const {
    const std::span<const Value> items = pickle_.items(dict);
    for (std::size_t i = 1; i < items.size(); i += 2) {
      if (tensors_.is_tensor(items[i])) {
        return true;
      }
    }
    return false;
  }

  const Pickle& pickle_;
  const TensorReader& tensors_;
  std::vector<bool> seen_;
  StateDict found_;
};

}  // namespace

std::optional<StateDict> find_state_dict(const Pickle& pickle, const TensorReader& tensors) {
  return Search(pickle, tensors).run();
}

}  // namespace lamina::models::torch

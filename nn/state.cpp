#include "nn/state.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace lamina::nn {
namespace {

struct Differences {
  std::vector<std::string> missing, extra, misshapen;
};

Differences compare(const std::vector<NamedTensor>& own,
                    const std::map<std::string, Shape>& shapes) {
  Differences result;
  std::set<std::string_view> names;
  for (const NamedTensor& tensor : own) {
    names.insert(tensor.name);
    const auto found = shapes.find(tensor.name);
    if (found == shapes.end()) {
      result.missing.push_back(tensor.name);
    } else if (found->second != tensor.value->shape()) {
      result.misshapen.push_back(
          text(tensor.name, " is ", found->second, " for ", tensor.value->shape()));
    }
  }
  for (const auto& [name, shape] : shapes) {
    if (!names.contains(name)) {
      result.extra.push_back(name);
    }
  }
  return result;
}

void append(std::string& sentence, const std::string& what, const std::vector<std::string>& items) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    sentence += i > 0 ? ", " : (sentence.empty() ? "" : "; ") + what + ' ';
    sentence += items[i];
  }
}

}  // namespace

std::string state_mismatch(Module& module, const StateDict& state) {
  return state_mismatch(named_tensors(module), state);
}

std::string state_mismatch(const std::vector<NamedTensor>& own, const StateDict& state) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : state) {
    shapes.emplace(name, tensor.shape());
  }
  return state_mismatch(own, shapes);
}

std::string state_mismatch(const std::vector<NamedTensor>& own,
                           const std::map<std::string, Shape>& shapes) {
  const Differences differences = compare(own, shapes);
  std::string sentence;
  append(sentence, "missing", differences.missing);
  append(sentence, "extra", differences.extra);
  append(sentence, "misshapen", differences.misshapen);
  return sentence;
}

StateDict state_dict(Module& module) {
  StateDict state;
  for (const NamedTensor& tensor : named_tensors(module)) {
    state.emplace(tensor.name, *tensor.value);
  }
  return state;
}

void load_state(Module& module, const StateDict& state) {
  const std::string mismatch = state_mismatch(module, state);
  check(mismatch.empty(), "load_state: names and shapes must match one to one: ", mismatch);
  for (const NamedTensor& tensor : named_tensors(module)) {
    std::ranges::copy(state.at(tensor.name).values(), tensor.value->data());
  }
}

}  // namespace lamina::nn

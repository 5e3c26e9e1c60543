#include "models/checkpoint/onnx/write_names.h"

#include "core/error.h"

namespace lamina::models::onnx {

// A part that is a number is named together with what it counts.
std::string scope_of(std::string_view name) {
  std::string scope;
  std::string parent;
  while (!name.empty()) {
    const std::size_t dot = name.find('.');
    const std::string_view part = name.substr(0, dot);
    name = dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
    const bool is_index = part.find_first_not_of("0123456789") == std::string_view::npos;
    parent = is_index && !parent.empty() ? text(parent, '.', part) : std::string(part);
    scope += '/' + parent;
  }
  return scope;
}

std::string UniqueNames::make(const std::string& wanted) {
  std::string name = wanted;
  for (std::size_t i = 1; !taken_.insert(name).second; ++i) {
    name = text(wanted, '_', i);
  }
  return name;
}

}  // namespace lamina::models::onnx

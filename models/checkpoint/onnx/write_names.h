#pragma once

#include <set>
#include <string>
#include <string_view>

namespace lamina::models::onnx {

/// The path of a module as PyTorch's exporter writes it: "features.1.conv.0" ->
/// "/features/features.1/conv/conv.0".
std::string scope_of(std::string_view name);

/// Names that are given once: the second "Clip" becomes "Clip_1".
class UniqueNames {
 public:
  std::string make(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace lamina::models::onnx

#pragma once

#include <cstdint>
#include <onnx.pb.h>
#include <string>
#include <vector>

namespace lamina::models::onnx {

/// A node's attributes by name. Each throws Error when the attribute is of another type.
class Attributes {
 public:
  explicit Attributes(const proto::Node& node) : node_(node) {}

  bool has(const char* name) const { return find(name) != nullptr; }
  std::int64_t integer(const char* name, std::int64_t otherwise) const;
  float number(const char* name, float otherwise) const;
  std::string word(const char* name, const char* otherwise) const;
  /// Empty when it is absent.
  std::vector<std::int64_t> integers(const char* name) const;
  std::vector<float> numbers(const char* name) const;
  /// Null when it is absent.
  const proto::Tensor* tensor(const char* name) const;

 private:
  const proto::Attribute* find(const char* name) const;
  const proto::Attribute* find(const char* name, proto::Attribute::Type type) const;

  const proto::Node& node_;
};

}  // namespace lamina::models::onnx

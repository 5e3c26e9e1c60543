#pragma once

#include <cstdint>
#include <onnx.pb.h>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace lamina::test {

using Integers = std::vector<std::int64_t>;
namespace proto = models::onnx::proto;

/// A node under construction: attributes are added one by one.
class OnnxNode {
 public:
  explicit OnnxNode(proto::Node* node) : node_(node) {}
  OnnxNode& with(const char* name, std::int64_t value);
  OnnxNode& with(const char* name, float value);
  OnnxNode& with(const char* name, const char* value);
  OnnxNode& with(const char* name, const Integers& values);
  proto::Tensor* tensor(const char* name);

 private:
  proto::Attribute* add(const char* name, proto::Attribute::Type type);
  proto::Node* node_;
};

/// A model under construction, with one input "x" and one output "y".
class OnnxModel {
 public:
  explicit OnnxModel(std::int64_t opset = 13, const Integers& input = {1, 3, 6, 5});

  OnnxNode node(const char* op_type, const std::vector<std::string>& inputs,
                const std::string& output = "y");
  /// Initializers.
  OnnxModel& floats(const std::string& name, const Integers& dims, const Tensor& values);
  OnnxModel& floats(const std::string& name, const Integers& dims,
                    const std::vector<float>& values);
  OnnxModel& integers(const std::string& name, const Integers& values);
  proto::Tensor* initializer(const std::string& name, const Integers& dims, int type);

  std::vector<std::uint8_t> bytes() const;
  proto::Model& message() { return model_; }
  const proto::Model& message() const { return model_; }

 private:
  proto::Model model_;
};

/// [O, KH, KW, I] to [O, I, KH, KW].
Tensor to_oihw(const Tensor& weight);

}  // namespace lamina::test

#pragma once

#include <map>
#include <memory>
#include <onnx.pb.h>
#include <optional>
#include <string>
#include <variant>

#include "models/checkpoint/onnx/attributes.h"
#include "models/checkpoint/onnx/builder.h"
#include "models/checkpoint/onnx/decode.h"

namespace lamina::models::onnx {

/// What a name in the file stands for: a tensor that the network computes, numbers known before it
/// runs, or such numbers that are still to be decoded; nothing after the last use.
using Value = std::variant<std::monostate, View, Constant, proto::Tensor*>;

/// The file's names and what they stand for. A value leaves the memory after its last use.
class Values {
 public:
  Values(ExternalData& external, Budget& budget) : external_(external), budget_(budget) {}

  void count_use(const std::string& name) { ++uses_[name]; }
  std::size_t uses(const std::string& name) const;
  bool is_defined(const std::string& name) const { return values_.contains(name); }
  /// Throws Error when the name has a value already.
  void define(const std::string& name, Value value);

  Constant decoded(const proto::Tensor& tensor);
  /// Decoded. Throws Error when there is no such value.
  const Value& get(const std::string& name);
  /// One use less.
  void release(const std::string& name);

 private:
  ExternalData& external_;
  Budget& budget_;
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, std::size_t, std::less<>> uses_;
};

/// One node of the file while it is read: its inputs, attributes and results. Functions throw Error
/// where the file does not hold what they ask for; whoever calls adds the node's name.
class Operation {
 public:
  Operation(const proto::Node& node, std::int64_t opset, Values& values, Builder& builder)
      : node_(node), attributes_(node), opset_(opset), values_(values), builder_(builder) {}

  const Attributes& attributes() const { return attributes_; }
  Builder& builder() const { return builder_; }
  std::int64_t opset() const { return opset_; }
  std::size_t input_count() const { return static_cast<std::size_t>(node_.input_size()); }
  /// Whether the input is given: inputs may be left out by an empty name.
  bool has(std::size_t input) const;
  bool is_constant(std::size_t input) const;
  /// Whether every input that is given is a constant.
  bool is_constant() const;

  const Constant& constant(std::size_t input, const char* what) const;
  /// A tensor of the network as it stands, or after its padding.
  View padded_view(std::size_t input) const;
  View view(std::size_t input) const { return builder_.without_padding(padded_view(input)); }
  /// An image, channels first.
  View image(std::size_t input) const;

  /// Integers that are an attribute up to some opset and an input from then on.
  std::optional<Dims> integers(const char* attribute, std::size_t input) const;
  std::optional<float> number(const char* attribute, std::size_t input) const;

  /// An attribute that is a tensor.
  Constant decoded(const char* attribute) const;

  /// The name of an input's value, without ".weight" where it ends so.
  std::string weight_name(std::size_t input) const;

  void result(View view) { define(std::move(view)); }
  void result(Constant constant) { define(std::move(constant)); }

 private:
  const std::string& input_name(std::size_t input) const;
  const Value& value(std::size_t input) const;
  void define(Value value);

  const proto::Node& node_;
  Attributes attributes_;
  std::int64_t opset_;
  Values& values_;
  Builder& builder_;
};

/// "node "a/b" (Conv): " for messages.
std::string described(const proto::Node& node);

}  // namespace lamina::models::onnx

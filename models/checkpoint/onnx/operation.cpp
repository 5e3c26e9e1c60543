#include "models/checkpoint/onnx/operation.h"

#include "core/error.h"

namespace lamina::models::onnx {

std::size_t Values::uses(const std::string& name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() ? 0 : found->second;
}

void Values::define(const std::string& name, Value value) {
  check(values_.emplace(name, std::move(value)).second,
        "values must have names of their own: there are two of ", shortened(name));
}

Constant Values::decoded(const proto::Tensor& tensor) { return decode(tensor, external_, budget_); }

const Value& Values::get(const std::string& name) {
  const auto found = values_.find(name);
  check(found != values_.end(), "inputs must be made by a node before: ", shortened(name),
        " is not");
  if (auto* const* stored = std::get_if<proto::Tensor*>(&found->second)) {
    proto::Tensor* tensor = *stored;
    try {
      found->second = decode(*tensor, external_, budget_);
    } catch (const Error& error) {
      throw Error(text("tensor ", shortened(name), ": ", error.what()));
    }
    *tensor = proto::Tensor();  // its bytes are not needed twice
  }
  return found->second;
}

void Values::release(const std::string& name) {
  const auto found = uses_.find(name);
  if (found != uses_.end() && --found->second == 0) {
    values_[name] = std::monostate();
  }
}

bool Operation::has(std::size_t input) const {
  return input < input_count() && !node_.input(static_cast<int>(input)).empty();
}

const std::string& Operation::input_name(std::size_t input) const {
  check(has(input), "there must be an input ", input, ": there are ", input_count());
  return node_.input(static_cast<int>(input));
}

const Value& Operation::value(std::size_t input) const { return values_.get(input_name(input)); }

bool Operation::is_constant(std::size_t input) const {
  return std::holds_alternative<Constant>(value(input));
}

bool Operation::is_constant() const {
  for (std::size_t i = 0; i < input_count(); ++i) {
    if (has(i) && !is_constant(i)) {
      return false;
    }
  }
  return true;
}

const Constant& Operation::constant(std::size_t input, const char* what) const {
  const auto* found = std::get_if<Constant>(&value(input));
  check(found != nullptr, what,
        " must be known before the network runs: ", shortened(input_name(input)),
        " is computed by it");
  return *found;
}

View Operation::padded_view(std::size_t input) const {
  const auto* found = std::get_if<View>(&value(input));
  const std::string& name = input_name(input);
  check(found != nullptr, "input ", input,
        " must be computed from the network's input: ", shortened(name), " is a constant");
  View view = *found;
  view.is_only_use = view.is_only_use && values_.uses(name) == 1;
  return view;
}

View Operation::image(std::size_t input) const {
  View found = padded_view(input);
  const Shape& shape = builder_.shape(found);
  check(found.axes.size() == 4 && is_channels_first(found, shape),
        "input must be an image [N, C, H, W]: it is ", printed(dims_of(found, shape)),
        found.axes.size() == 4 ? " with its axes in another order" : "");
  return found;
}

std::optional<Dims> Operation::integers(const char* attribute, std::size_t input) const {
  if (attributes_.has(attribute)) {
    return attributes_.integers(attribute);
  }
  if (!has(input)) {
    return std::nullopt;
  }
  const Constant& found = constant(input, attribute);
  check(!found.is_floating() && found.dims.size() <= 1, attribute,
        " must be a list of integers: it is ", type_name(found.type), " ", printed(found.dims));
  return found.integers;
}

std::optional<float> Operation::number(const char* attribute, std::size_t input) const {
  if (attributes_.has(attribute)) {
    return attributes_.number(attribute, 0.0f);
  }
  if (!has(input)) {
    return std::nullopt;
  }
  const Constant& found = constant(input, attribute);
  check(found.size() == 1, attribute, " must be one number: it is ", printed(found.dims));
  return found.number(0);
}

Constant Operation::decoded(const char* attribute) const {
  const proto::Tensor* tensor = attributes_.tensor(attribute);
  check(tensor != nullptr, "there must be a tensor in ", attribute, ": there is none");
  return values_.decoded(*tensor);
}

std::string Operation::weight_name(std::size_t input) const {
  constexpr std::string_view kEnding = ".weight";
  const std::string& name = input_name(input);
  if (name.size() > kEnding.size() && name.ends_with(kEnding)) {
    return name.substr(0, name.size() - kEnding.size());
  }
  return node_.name().empty() ? node_.op_type() : node_.name();
}

void Operation::define(Value value) {
  check(node_.output_size() > 0, "there must be an output: got none");
  values_.define(node_.output(0), std::move(value));
}

std::string described(const proto::Node& node) {
  return text(
      "node ",
      shortened(node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name()), " (",
      shortened(node.op_type()), "): ");
}

}  // namespace lamina::models::onnx

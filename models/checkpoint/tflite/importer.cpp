#include "models/checkpoint/tflite/importer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "data/preprocessing.h"

namespace lamina::models::tflite {
namespace {

using Axes = std::vector<std::size_t>;

Axes without_ones(const auto& shape) {
  Axes axes;
  std::ranges::copy_if(shape, std::back_inserter(axes), [](auto extent) { return extent != 1; });
  return axes;
}

Shape shape_of(const TensorView& tensor) {
  check(tensor.shape.size() >= 2 && tensor.shape.size() <= Shape::kMaxRank, "tensor ", tensor.index,
        " must have 2 to ", Shape::kMaxRank, " axes: its shape is ", printed(tensor.shape));
  const Axes extents(tensor.shape.begin(), tensor.shape.end());
  return Shape(std::span<const std::size_t>(extents));
}

constexpr std::size_t kMaxDescription = 1000;

bool is_unbounded(nn::Bounds bounds) { return std::isinf(bounds.lo) && std::isinf(bounds.hi); }

nn::Bounds named_bounds(ActivationCode activation) {
  switch (activation) {
    case ActivationCode::none:
      return {};
    case ActivationCode::relu:
      return nn::kReluBounds;
    case ActivationCode::relu_n1_to_1:
      return {-1.0f, 1.0f};
    case ActivationCode::relu6:
      return nn::kRelu6Bounds;
  }
  throw Error(text("activation must be NONE, RELU, RELU6 or RELU_N1_TO_1: it has number ",
                   static_cast<int>(activation)));
}

}  // namespace

bool same_up_to_ones(const Extents& declared, const Shape& shape) {
  return !declared.empty() && shape.rank() > 0 && declared.front() == shape[0] &&
         without_ones(declared) == without_ones(shape);
}

Importer::Importer(const Model& model, std::uint64_t file_bytes)
    : model_(model), constants_(file_bytes) {}

GraphFile Importer::run() {
  file_.container = text("TFLite (schema ", model_.table().version(), ")");
  add_input();
  const std::size_t count = model_.subgraph().operators()->size();
  for (std::size_t position = 0; position < count; ++position) {
    const Operator op = model_.operation(position);
    try {
      add(op);
    } catch (const Error& error) {
      throw Error(text("operator ", position, " (", op.name, "): ", error.what()));
    }
  }
  finish();
  return std::move(file_);
}

void Importer::add_input() {
  const auto inputs = numbers(model_.subgraph().inputs());
  check(inputs.size() == 1, "network must have one input: it has ", inputs.size());
  const TensorView image = model_.tensor(inputs[0]);
  check(!image.is_constant(), "input must be given from outside: it is a constant");
  file_.graph.nodes.push_back(
      {.name = "input", .operation = nn::InputNode{}, .inputs = {}, .shape = shape_of(image)});
  values_[image.index] = {.node = 0};
  describe_input(image);
}

bool Importer::has_input(const Operator& op, std::size_t i) const {
  const auto inputs = numbers(op.table->inputs());
  return i < inputs.size() && inputs[i] >= 0;
}

TensorView Importer::input(const Operator& op, std::size_t i) const {
  check(has_input(op, i), "input ", i, " must be given: it is not");
  return model_.tensor(numbers(op.table->inputs())[i]);
}

TensorView Importer::output(const Operator& op) const {
  const auto outputs = numbers(op.table->outputs());
  check(outputs.size() == 1, "must have one output: it has ", outputs.size());
  return model_.tensor(outputs[0]);
}

TensorView Importer::constant(const Operator& op, std::size_t i) const {
  TensorView tensor = input(op, i);
  const auto origin = dequantized_.find(tensor.index);
  return origin == dequantized_.end() ? tensor
                                      : model_.tensor(static_cast<std::int64_t>(origin->second));
}

const Importer::Value& Importer::value(const Operator& op, std::size_t i) const {
  const TensorView tensor = input(op, i);
  const auto found = values_.find(tensor.index);
  check(found != values_.end(), "input ", i, " must be made by an earlier operator: tensor ",
        tensor.index, tensor.is_constant() ? " is a constant" : " is not");
  return found->second;
}

const Importer::Value& Importer::unpadded(const Operator& op, std::size_t i) const {
  const Value& x = value(op, i);
  check(!x.has_padding(), "input must not come from PAD: only convolutions can add its zeros");
  return x;
}

void Importer::set(const Operator& op, const Value& value) {
  const TensorView y = output(op);
  check(!y.is_constant() && values_.emplace(y.index, value).second,
        "output must be made once: tensor ", y.index,
        y.is_constant() ? " is a constant" : " exists");
}

void Importer::make(const Operator& op, nn::Operation operation, std::vector<std::size_t> inputs,
                    const Shape& shape) {
  const TensorView y = output(op);
  check(same_up_to_ones(y.shape, shape), "output must be ", shape, ": the file declares ",
        printed(y.shape));
  set(op, {.node = file_.graph.nodes.size()});
  file_.graph.nodes.push_back({.name = y.name.empty() ? text("tensor ", y.index) : y.name,
                               .operation = std::move(operation),
                               .inputs = std::move(inputs),
                               .shape = shape});
}

nn::Bounds Importer::bounds(ActivationCode activation, const TensorView& output) const {
  const nn::Bounds named = named_bounds(activation);
  const auto range = representable(output);
  if (!range || !is_unbounded(named) || range->lo != 0.0f) {
    return named;
  }
  // Trained with simulated quantization, ReLU6 may be left to the integers, which reach 6 up to the
  // rounding of their scale. Other ranges are those of a calibration, not part of the network.
  const float step = static_cast<float>(affine(output)->scale);
  return std::abs(range->hi - nn::kRelu6Bounds.hi) <= step ? nn::kRelu6Bounds : *range;
}

void Importer::make_bounded(const Operator& op, nn::Operation operation,
                            std::vector<std::size_t> inputs, const Shape& shape,
                            ActivationCode activation) {
  const nn::Bounds clamp = bounds(activation, output(op));
  make(op, std::move(operation), std::move(inputs), shape);
  nn::Node& made = file_.graph.nodes.back();
  if (auto* convolution = std::get_if<nn::ConvolutionNode>(&made.operation)) {
    convolution->options.bounds = clamp;
  } else if (!is_unbounded(clamp)) {
    const std::size_t node = file_.graph.nodes.size();
    values_[output(op).index].node = node;
    file_.graph.nodes.push_back(
        {.name = "clamp", .operation = nn::ClampNode{clamp}, .inputs = {node - 1}, .shape = shape});
  }
}

void Importer::describe_input(const TensorView& image) {
  file_.metadata["input.tensor"] = image.name;
  const auto quantized = affine(image);
  if (!quantized) {
    return;
  }
  file_.metadata["input.scale"] = text(quantized->scale);
  file_.metadata["input.zero_point"] = text(quantized->zero_point);
  const Extents& shape = image.shape;
  const bool is_byte = image.type->bytes == 1;
  if (!is_byte || shape.size() != 4 || shape[3] != 3 || shape[1] != shape[2]) {
    return;
  }
  // A byte x is the integer q = x, or x - 128 where those have a sign.
  const double zero =
      static_cast<double>(quantized->zero_point) + (image.type->name == "I8" ? 128.0 : 0.0);
  data::Preprocessing preprocessing{.crop = shape[1]};
  preprocessing.resize = (preprocessing.crop * 8 + 3) / 7;
  preprocessing.mean.fill(static_cast<float>(zero / 255.0));
  preprocessing.std.fill(static_cast<float>(1.0 / (255.0 * quantized->scale)));
  data::store(preprocessing, file_.metadata);
  file_.remarks.push_back(text("Mean and standard deviation are the input's scale and zero point; ",
                               "the file does not say how to resize: taken to be to ",
                               preprocessing.resize, ", then a center crop of ", preprocessing.crop,
                               "."));
}

void Importer::finish() {
  const auto* description = model_.table().description();
  if (description != nullptr && description->size() > 0) {
    file_.metadata["description"] =
        printable({description->c_str(), description->size()}, kMaxDescription);
  }
  const auto outputs = numbers(model_.subgraph().outputs());
  check(!outputs.empty(), "network must have an output: it has none");
  const TensorView result = model_.tensor(outputs[0]);
  const auto found = values_.find(result.index);
  check(found != values_.end() && found->second.node > 0 && !found->second.has_padding(),
        "output must be made by an operator other than PAD: tensor ", result.index, " is not");
  file_.metadata["output.tensor"] = result.name;
  if (outputs.size() > 1) {
    file_.remarks.push_back(text("Only the first of ", outputs.size(), " outputs is computed."));
  }
  if (model_.table().subgraphs()->size() > 1) {
    file_.remarks.push_back(
        text("Only the first of ", model_.table().subgraphs()->size(), " subgraphs is read."));
  }
  if (affine(result)) {
    file_.remarks.emplace_back(
        "The file's integers are used as the numbers that they stand for, in float32.");
  }
  file_.graph.output = found->second.node;
  file_.graph = pruned(file_.graph);
}

nn::Graph pruned(const nn::Graph& graph) {
  std::vector<char> needed(graph.output + 1, 0);
  needed[0] = needed[graph.output] = 1;
  for (std::size_t i = graph.output + 1; i-- > 0;) {
    for (const std::size_t input : needed[i] ? graph.nodes[i].inputs : std::vector<std::size_t>()) {
      needed[input] = 1;
    }
  }
  nn::Graph kept;
  std::vector<std::size_t> places(graph.output + 1);
  for (std::size_t i = 0; i <= graph.output; ++i) {
    if (needed[i]) {
      places[i] = kept.nodes.size();
      kept.nodes.push_back(graph.nodes[i]);
      for (std::size_t& input : kept.nodes.back().inputs) {
        input = places[input];
      }
    }
  }
  kept.output = kept.nodes.size() - 1;
  return kept;
}

}  // namespace lamina::models::tflite

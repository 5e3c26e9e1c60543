#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "models/checkpoint/tflite/model.h"

namespace lamina::test {

/// How a tensor's integers are numbers.
struct Quantized {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points = {0};
  std::int32_t axis = 0;
};

/// A TensorFlow Lite file in the making, by flatbuffers' own writer. A test may alter `model`
/// before it asks for the bytes.
class TfliteFile {
 public:
  using Ints = std::vector<std::int32_t>;
  using Element = models::tflite::ElementCode;

  TfliteFile();

  /// Each adds a tensor and returns its index: one that an operator makes, or a constant.
  std::int32_t tensor(const Ints& shape, const std::string& name = "");
  std::int32_t integer_tensor(const Ints& shape, Element type, const Quantized& quantized);
  std::int32_t constant(const Ints& shape, Element type, std::vector<std::uint8_t> data);
  std::int32_t constant(const Tensor& values);
  std::int32_t ints(const Ints& values);

  void quantize(std::int32_t tensor, const Quantized& quantized);

  template <class Options>
  void add(models::tflite::OperatorKind kind, const Ints& inputs, std::int32_t output,
           const Options& options) {
    add(kind, inputs, output);
    operators().back()->options.Set(Options(options));
  }
  void add(models::tflite::OperatorKind kind, const Ints& inputs, std::int32_t output);

  void set_ends(std::int32_t input, std::int32_t output);

  models::tflite::SubgraphTableT& graph() { return *model.subgraphs[0]; }
  std::vector<std::unique_ptr<models::tflite::OperatorTableT>>& operators() {
    return graph().operators;
  }
  models::tflite::TensorTableT& table(std::int32_t tensor) {
    return *graph().tensors[static_cast<std::size_t>(tensor)];
  }
  models::tflite::BufferTableT& buffer_of(std::int32_t tensor) {
    return *model.buffers[table(tensor).buffer];
  }

  std::vector<std::uint8_t> bytes() const;

  models::tflite::ModelTableT model;
};

/// The bytes of numbers as a file holds them.
template <class Number>
std::vector<std::uint8_t> as_bytes(std::span<const Number> numbers) {
  const auto* begin = reinterpret_cast<const std::uint8_t*>(numbers.data());
  return {begin, begin + numbers.size_bytes()};
}

/// Images [1, 6, 6, 3] to 4 classes through every operator that is read: in float32, and of 8-bit
/// integers.
TfliteFile float_network();
TfliteFile integer_network();

}  // namespace lamina::test

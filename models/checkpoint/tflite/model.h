#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "models/checkpoint/archive.h"

// Made from tflite.fbs by flatc.
#include <tflite_generated.h>

/// Inside models only: a TensorFlow Lite file, verified.
namespace lamina::models::tflite {

using Extents = std::vector<std::uint64_t>;

/// "[1, 224, 224, 3]".
std::string printed(const Extents& shape);

/// The first `most` characters of a file's text, those that a terminal could act on as '?'.
std::string printable(std::string_view text, std::size_t most);

/// A tensor of the first subgraph, its index, type, shape and place in the file checked.
struct TensorView {
  std::size_t index;
  std::string name;  ///< printable, up to the first ';', at most 128 characters
  const ElementType* type;
  Extents shape;
  std::span<const std::uint8_t> data;     ///< empty: an operator or the caller makes it
  const QuantizationTable* quantization;  ///< null: the elements are the values

  bool is_constant() const { return !data.empty(); }
  bool is_integer() const { return !type->is_floating; }
  std::uint64_t size() const;
};

/// An operator of the first subgraph.
struct Operator {
  OperatorKind kind;
  std::string name;  ///< "CONV_2D"; a number or "CUSTOM" with its name where it is not supported
  const OperatorTable* table;
};

/// Messages of its errors begin with the rule. The bytes must outlive it.
class Model {
 public:
  /// Verifies the structure: everything that an offset reaches lies inside of the bytes, which must
  /// be aligned to 8.
  explicit Model(std::span<const std::uint8_t> bytes);

  const ModelTable& table() const { return *table_; }
  const SubgraphTable& subgraph() const { return *subgraph_; }

  /// Throws Error unless there is such a tensor and it is sound.
  TensorView tensor(std::int64_t index) const;

  /// The operator at `position` < subgraph().operators()->size().
  Operator operation(std::size_t position) const;

 private:
  std::span<const std::uint8_t> data_of(const TensorTable& tensor) const;

  std::span<const std::uint8_t> bytes_;
  const ModelTable* table_;
  const SubgraphTable* subgraph_;
};

/// The numbers of a vector; none where it is absent. Throws Error unless they are aligned, which
/// the verifier leaves open for those of 8 bytes.
template <class Number>
std::span<const Number> numbers(const flatbuffers::Vector<Number>* vector) {
  if (vector == nullptr) {
    return {};
  }
  const std::uint8_t* bytes = vector->Data();
  check(reinterpret_cast<std::uintptr_t>(bytes) % alignof(Number) == 0, "numbers of ",
        sizeof(Number), " bytes must be aligned to as many: a list of them is not");
  return {reinterpret_cast<const Number*>(bytes), vector->size()};
}

/// What a supported operator is called in the format; empty for others.
std::string_view name_of(OperatorKind kind);

/// All of them, "ADD, AVERAGE_POOL_2D, ...".
std::string supported_operators();

}  // namespace lamina::models::tflite

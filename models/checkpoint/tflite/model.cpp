#include "models/checkpoint/tflite/model.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"

namespace lamina::models::tflite {
namespace {

static_assert(std::endian::native == std::endian::little, "vectors are read in place");

constexpr std::uint32_t kSchemaVersion = 3;
constexpr std::size_t kMaxName = 128;

constexpr std::array<std::pair<OperatorKind, std::string_view>, 15> kNames = {{
    {OperatorKind::add, "ADD"},
    {OperatorKind::average_pool_2d, "AVERAGE_POOL_2D"},
    {OperatorKind::conv_2d, "CONV_2D"},
    {OperatorKind::depthwise_conv_2d, "DEPTHWISE_CONV_2D"},
    {OperatorKind::dequantize, "DEQUANTIZE"},
    {OperatorKind::fully_connected, "FULLY_CONNECTED"},
    {OperatorKind::mean, "MEAN"},
    {OperatorKind::pad, "PAD"},
    {OperatorKind::quantize, "QUANTIZE"},
    {OperatorKind::relu, "RELU"},
    {OperatorKind::relu6, "RELU6"},
    {OperatorKind::relu_n1_to_1, "RELU_N1_TO_1"},
    {OperatorKind::reshape, "RESHAPE"},
    {OperatorKind::softmax, "SOFTMAX"},
    {OperatorKind::squeeze, "SQUEEZE"},
}};

const ElementType* element_type(ElementCode code) {
  switch (code) {
    case ElementCode::float32:
      return find_element_type("F32");
    case ElementCode::float16:
      return find_element_type("F16");
    case ElementCode::float64:
      return find_element_type("F64");
    case ElementCode::int32:
      return find_element_type("I32");
    case ElementCode::uint8:
      return find_element_type("U8");
    case ElementCode::int64:
      return find_element_type("I64");
    case ElementCode::int16:
      return find_element_type("I16");
    case ElementCode::int8:
      return find_element_type("I8");
  }
  throw Error(text("type must be a float or an integer of 8 to 64 bits: it has number ",
                   static_cast<int>(code)));
}

// Converters join the names of all operations that they merged.
std::string short_name(const flatbuffers::String* name) {
  if (name == nullptr) {
    return {};
  }
  std::string_view view(name->c_str(), name->size());
  return printable(view.substr(0, view.find(';')), kMaxName);
}

Extents shape_of(const TensorTable& tensor) {
  const auto extents = numbers(tensor.shape());
  check(extents.size() <= limits::kTfliteRank, "rank must be at most ", limits::kTfliteRank,
        ": it has ", extents.size());
  Extents shape;
  std::uint64_t size = 1;
  for (const std::int32_t extent : extents) {
    check(extent >= 1, "shape must be of positive extents: one is ", extent);
    shape.push_back(static_cast<std::uint64_t>(extent));
    size *= shape.back();
    check(size <= limits::kTfliteValues, "tensor must have at most ", limits::kTfliteValues,
          " values: its shape is ", printed(shape),
          numbers(tensor.shape()).size() > shape.size() ? " and on" : "");
  }
  return shape;
}

}  // namespace

std::string printed(const Extents& shape) {
  std::string list = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    list += text(i == 0 ? "" : ", ", shape[i]);
  }
  return list + "]";
}

std::string printable(std::string_view text, std::size_t most) {
  std::string shown(text.substr(0, most));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

std::uint64_t TensorView::size() const {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : shape) {
    product *= extent;
  }
  return product;
}

Model::Model(std::span<const std::uint8_t> bytes) : bytes_(bytes) {
  check(bytes.size() <= limits::kTfliteFile, "file must have at most ", limits::kTfliteFile,
        " bytes: it has ", bytes.size());
  flatbuffers::Verifier verifier(bytes.data(), bytes.size(), limits::kTfliteDepth,
                                 limits::kTfliteTables);
  check(VerifyModelTableBuffer(verifier),
        "file must be a flatbuffer of the format TFL3, its tables inside of its ", bytes.size(),
        " bytes and at most ", limits::kTfliteTables, ": it is not, or was cut short or altered");
  table_ = GetModelTable(bytes.data());
  check(table_->version() == kSchemaVersion, "schema must have version ", kSchemaVersion,
        ": it has ", table_->version());
  const auto* subgraphs = table_->subgraphs();
  check(subgraphs != nullptr && subgraphs->size() > 0, "file must have a subgraph: it has none");
  subgraph_ = subgraphs->Get(0);
  check(subgraph_->tensors() != nullptr && subgraph_->operators() != nullptr &&
            table_->operator_codes() != nullptr && table_->buffers() != nullptr,
        "file must have tensors, operators, their codes and buffers: one of them is missing");
}

TensorView Model::tensor(std::int64_t index) const {
  const std::size_t count = subgraph_->tensors()->size();
  check(index >= 0 && static_cast<std::uint64_t>(index) < count,
        "tensor must be one of the file's: it has ", count, ", the index is ", index);
  const TensorTable& table = *subgraph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
  try {
    check(table.sparsity() == nullptr, "must be dense: it is stored sparsely");
    TensorView view{.index = static_cast<std::size_t>(index),
                    .name = short_name(table.name()),
                    .type = element_type(table.type()),
                    .shape = shape_of(table),
                    .data = data_of(table),
                    .quantization = nullptr};
    const std::uint64_t needed = view.size() * view.type->bytes;
    check(view.data.empty() || view.data.size() == needed, "buffer must have the bytes of ",
          view.type->name, " x ", printed(view.shape), ", ", needed, ": it has ", view.data.size());
    const auto* quantization = table.quantization();
    if (quantization != nullptr && !numbers(quantization->scale()).empty()) {
      check(quantization->details_type() == 0,
            "quantization must be by scale and zero point: it "
            "has details of type ",
            static_cast<int>(quantization->details_type()));
      view.quantization = quantization;
    }
    return view;
  } catch (const Error& error) {
    throw Error(text("tensor ", index, ": ", error.what()));
  }
}

std::span<const std::uint8_t> Model::data_of(const TensorTable& tensor) const {
  const std::size_t count = table_->buffers()->size();
  check(tensor.buffer() < count, "buffer must be one of the file's: it has ", count,
        ", the index is ", tensor.buffer());
  const BufferTable& buffer = *table_->buffers()->Get(tensor.buffer());
  if (buffer.offset() <= 1) {  // 1: the converter's placeholder
    return numbers(buffer.data());
  }
  check(buffer.offset() <= bytes_.size() && buffer.size() <= bytes_.size() - buffer.offset(),
        "buffer must lie inside of the file: its offset is ", buffer.offset(), ", its size ",
        buffer.size(), ", the file has ", bytes_.size(), " bytes");
  return bytes_.subspan(buffer.offset(), buffer.size());
}

Operator Model::operation(std::size_t position) const {
  const OperatorTable* table =
      subgraph_->operators()->Get(static_cast<flatbuffers::uoffset_t>(position));
  const auto* codes = table_->operator_codes();
  check(table->code() < codes->size(), "operator ", position,
        ": code must be one of the file's: it has ", codes->size(), ", the index is ",
        table->code());
  const OperatorCodeTable& code = *codes->Get(table->code());
  // Older files have the first field only, newer ones the same in both or a smaller placeholder.
  const std::int32_t number = std::max<std::int32_t>(code.short_kind(), code.kind());
  const auto kind = static_cast<OperatorKind>(number);
  std::string name(name_of(kind));
  if (kind == OperatorKind::custom) {
    name = "CUSTOM " + in_quotes(short_name(code.custom()));
  } else if (name.empty()) {
    name = text("number ", number);
  }
  return {kind, std::move(name), table};
}

std::string_view name_of(OperatorKind kind) {
  for (const auto& [known, name] : kNames) {
    if (known == kind) {
      return name;
    }
  }
  return {};
}

std::string supported_operators() {
  std::string list;
  for (const auto& [kind, name] : kNames) {
    list += (list.empty() ? "" : ", ") + std::string(name);
  }
  return list;
}

}  // namespace lamina::models::tflite

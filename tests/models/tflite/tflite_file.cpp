#include "tests/models/tflite/tflite_file.h"

#include "tests/support/tensors.h"

namespace lamina::test {
namespace {

using namespace models::tflite;

constexpr std::int32_t kImage = 6;

ConvolutionOptionsT convolution(PaddingCode padding, std::int32_t stride,
                                ActivationCode activation) {
  ConvolutionOptionsT options;
  options.padding = padding;
  options.stride_h = options.stride_w = stride;
  options.activation = activation;
  return options;
}

DepthwiseOptionsT depthwise(PaddingCode padding, std::int32_t stride, ActivationCode activation) {
  DepthwiseOptionsT options;
  options.padding = padding;
  options.stride_h = options.stride_w = stride;
  options.activation = activation;
  return options;
}

SoftmaxOptionsT softmax() {
  SoftmaxOptionsT options;
  options.beta = 1.0f;
  return options;
}

// Bytes of no pattern.
std::vector<std::uint8_t> some_bytes(std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * i * 7 + 3 * i + 11);
  }
  return bytes;
}

}  // namespace

TfliteFile::TfliteFile() {
  model.version = 3;
  model.description = "made by a test";
  model.buffers.push_back(std::make_unique<BufferTableT>());
  model.subgraphs.push_back(std::make_unique<SubgraphTableT>());
}

std::int32_t TfliteFile::tensor(const Ints& shape, const std::string& name) {
  auto made = std::make_unique<TensorTableT>();
  made->shape = shape;
  made->name = name;
  graph().tensors.push_back(std::move(made));
  return static_cast<std::int32_t>(graph().tensors.size()) - 1;
}

std::int32_t TfliteFile::integer_tensor(const Ints& shape, Element type,
                                        const Quantized& quantized) {
  const std::int32_t index = tensor(shape);
  table(index).type = type;
  quantize(index, quantized);
  return index;
}

std::int32_t TfliteFile::constant(const Ints& shape, Element type, std::vector<std::uint8_t> data) {
  const std::int32_t index = tensor(shape, "constant");
  table(index).type = type;
  table(index).buffer = static_cast<std::uint32_t>(model.buffers.size());
  model.buffers.push_back(std::make_unique<BufferTableT>());
  model.buffers.back()->data = std::move(data);
  return index;
}

std::int32_t TfliteFile::constant(const Tensor& values) {
  const Ints shape(values.shape().begin(), values.shape().end());
  return constant(shape, Element::float32, as_bytes(values.values()));
}

std::int32_t TfliteFile::ints(const Ints& values) {
  return constant({static_cast<std::int32_t>(values.size())}, Element::int32,
                  as_bytes(std::span(values)));
}

void TfliteFile::quantize(std::int32_t tensor, const Quantized& quantized) {
  auto quantization = std::make_unique<QuantizationTableT>();
  quantization->scale = quantized.scales;
  quantization->zero_point = quantized.zero_points;
  quantization->quantized_dimension = quantized.axis;
  table(tensor).quantization = std::move(quantization);
}

void TfliteFile::add(OperatorKind kind, const Ints& inputs, std::int32_t output) {
  auto code = std::make_unique<OperatorCodeTableT>();
  code->kind = static_cast<std::int32_t>(kind);
  code->short_kind = static_cast<std::int8_t>(std::min(code->kind, 127));
  auto added = std::make_unique<OperatorTableT>();
  added->code = static_cast<std::uint32_t>(model.operator_codes.size());
  added->inputs = inputs;
  added->outputs = {output};
  model.operator_codes.push_back(std::move(code));
  operators().push_back(std::move(added));
}

void TfliteFile::set_ends(std::int32_t input, std::int32_t output) {
  graph().inputs = {input};
  graph().outputs = {output};
}

std::vector<std::uint8_t> TfliteFile::bytes() const {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(ModelTable::Pack(builder, &model), ModelTableIdentifier());
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

TfliteFile float_network() {
  TfliteFile file;
  const std::int32_t image = file.tensor({1, kImage, kImage, 3}, "image");
  const std::int32_t first = file.tensor({1, 3, 3, 4}, "first");
  file.add(
      OperatorKind::conv_2d,
      {image, file.constant(random_tensor({4, 3, 3, 3}, 1)), file.constant(random_tensor({4}, 2))},
      first, convolution(PaddingCode::same, 2, ActivationCode::relu6));
  const std::int32_t padded = file.tensor({1, 5, 5, 4});
  file.add(OperatorKind::pad, {first, file.ints({0, 0, 1, 1, 1, 1, 0, 0})}, padded);
  const std::int32_t filtered = file.tensor({1, 3, 3, 4});
  file.add(OperatorKind::depthwise_conv_2d, {padded, file.constant(random_tensor({1, 3, 3, 4}, 3))},
           filtered, depthwise(PaddingCode::valid, 1, ActivationCode::none));
  const std::int32_t clamped = file.tensor({1, 3, 3, 4});
  file.add(OperatorKind::relu, {filtered}, clamped);
  const std::int32_t sum = file.tensor({1, 3, 3, 4});
  AddOptionsT relu_n1_to_1;
  relu_n1_to_1.activation = ActivationCode::relu_n1_to_1;
  file.add(OperatorKind::add, {first, clamped}, sum, relu_n1_to_1);
  const std::int32_t pooled = file.tensor({1, 1, 1, 4});
  file.add(OperatorKind::mean, {sum, file.ints({-3, 2})}, pooled);
  const std::int32_t flat = file.tensor({1, 4});
  file.add(OperatorKind::squeeze, {pooled}, flat);
  const std::int32_t logits = file.tensor({1, 4}, "logits;and more");
  file.add(OperatorKind::fully_connected,
           {flat, file.constant(random_tensor({4, 4}, 4)), file.constant(random_tensor({4}, 5))},
           logits, FullyConnectedOptionsT());
  const std::int32_t result = file.tensor({1, 4});
  file.add(OperatorKind::softmax, {logits}, result, softmax());
  file.set_ends(image, result);
  return file;
}

TfliteFile integer_network() {
  using Element = TfliteFile::Element;
  TfliteFile file;
  const std::int32_t bytes =
      file.integer_tensor({1, kImage, kImage, 3}, Element::uint8, {{1 / 127.5f}, {128}});
  const std::int32_t image =
      file.integer_tensor({1, kImage, kImage, 3}, Element::int8, {{1 / 127.5f}, {0}});
  file.add(OperatorKind::quantize, {bytes}, image);
  const std::int32_t first =
      file.integer_tensor({1, 6, 6, 4}, Element::int8, {{6 / 255.0f}, {-128}});
  const std::int32_t weight = file.constant({4, 1, 1, 3}, Element::int8, some_bytes(12));
  file.quantize(weight, {{0.01f, 0.02f, 0.03f, 0.04f}, {0, 0, 0, 0}});
  const std::int32_t bias =
      file.constant({4}, Element::int32,
                    as_bytes(std::span<const std::int32_t>(TfliteFile::Ints{1, -2, 300, 4})));
  file.add(OperatorKind::conv_2d, {image, weight, bias}, first,
           convolution(PaddingCode::same, 1, ActivationCode::none));
  const std::int32_t filtered = file.integer_tensor({1, 3, 3, 4}, Element::int8, {{0.05f}, {7}});
  const std::int32_t filter = file.constant({1, 3, 3, 4}, Element::int8, some_bytes(36));
  file.quantize(filter, {{0.01f, 0.02f, 0.03f, 0.04f}, {1}, 3});
  file.add(OperatorKind::depthwise_conv_2d, {first, filter}, filtered,
           depthwise(PaddingCode::same, 2, ActivationCode::relu6));
  const std::int32_t pooled = file.integer_tensor({1, 1, 1, 4}, Element::int8, {{0.05f}, {7}});
  PoolOptionsT window;
  window.filter_h = window.filter_w = 3;
  window.padding = PaddingCode::valid;
  file.add(OperatorKind::average_pool_2d, {filtered}, pooled, window);
  const std::int32_t scores = file.integer_tensor({1, 1, 1, 4}, Element::int8, {{0.1f}, {0}});
  const std::int32_t last = file.constant({4, 1, 1, 4}, Element::uint8, some_bytes(16));
  file.quantize(last, {{0.02f}, {128}});
  file.add(OperatorKind::conv_2d, {pooled, last}, scores,
           convolution(PaddingCode::valid, 1, ActivationCode::none));
  const std::int32_t flat = file.integer_tensor({1, 4}, Element::int8, {{0.1f}, {0}});
  file.add(OperatorKind::reshape, {scores, file.ints({1, 4})}, flat);
  const std::int32_t result = file.tensor({1, 4}, "result");
  file.add(OperatorKind::dequantize, {flat}, result);
  file.set_ends(bytes, result);
  return file;
}

}  // namespace lamina::test

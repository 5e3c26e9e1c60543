#include "models/model_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include "core/error.h"
#include "data/file.h"
#include "data/labels.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/onnx.h"
#include "models/checkpoint/recognize.h"
#include "models/checkpoint/tflite.h"
#include "models/load.h"
#include "models/metadata.h"

namespace lamina::models {
namespace {

// Protocol buffers have no signature: a model begins with field 1, its version, a small number.
bool begins_as_onnx(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kVersionField = 0x08;
  constexpr std::uint8_t kMostVersion = 64;
  std::uint64_t header = limits::kSafetensorsHeader + 1;
  if (bytes.size() > sizeof header) {
    std::memcpy(&header, bytes.data(), sizeof header);
  }
  const bool safetensors = header <= limits::kSafetensorsHeader && bytes[sizeof header] == '{';
  return bytes.size() > 2 && bytes[0] == kVersionField && bytes[1] > 0 &&
         bytes[1] <= kMostVersion && !safetensors;
}

// Without a softmax at the end, whose result would go through another one.
nn::Graph without_softmax(nn::Graph graph) {
  const nn::Node& last = graph.nodes[graph.output];
  if (std::holds_alternative<nn::SoftmaxNode>(last.operation)) {
    const std::size_t output = graph.output;
    graph.output = last.inputs.front();
    if (output + 1 == graph.nodes.size()) {
      graph.nodes.pop_back();
    }
  }
  return graph;
}

data::Preprocessing preprocessing_of(const GraphFile& file, std::size_t side,
                                     const VariantOptions& given,
                                     std::vector<std::string>& assumptions) {
  auto preprocessing = given.preprocessing;
  if (!preprocessing) {
    preprocessing = data::read_preprocessing(file.metadata);
  }
  if (!preprocessing) {
    preprocessing = data::Preprocessing{};
    assumptions.emplace_back(
        "Preprocessing is taken to be torchvision's: the file does not say it.");
  }
  if (preprocessing->crop != side) {
    preprocessing->resize = preprocessing->resize * side / preprocessing->crop;
    preprocessing->crop = side;
  }
  return *preprocessing;
}

std::vector<std::string> labels_of(const GraphFile& file, std::size_t classes,
                                   const std::string& name, std::vector<std::string>& assumptions) {
  if (const auto labels = read_labels(file.metadata)) {
    check(labels->size() == classes, "read_classifier: ", name,
          ": labels must have a line for each class: it has ", labels->size(), ", the classes are ",
          classes);
    return *labels;
  }
  const std::size_t imagenet = data::imagenet_labels().size();
  assumptions.emplace_back(classes == imagenet || classes == imagenet + 1
                               ? "The classes are taken to be ImageNet's."
                               : "The classes have no names.");
  return data::default_labels(classes);
}

ReadClassifier compile(const GraphFile& file, const std::string& name,
                       const VariantOptions& given) {
  const nn::Graph graph = without_softmax(file.graph);
  const Shape& x = graph.nodes.front().shape;
  const Shape& y = graph.nodes[graph.output].shape;
  check(x.rank() == 4 && x[1] == x[2] && x[3] == 3 && y.rank() == 2, "read_classifier: ", name,
        ": must take a square picture and give a number for each class: it takes ", x,
        " and gives ", y);
  std::vector<std::string> assumptions = file.remarks;
  const data::Preprocessing preprocessing = preprocessing_of(file, x[1], given, assumptions);
  std::vector<std::string> labels = labels_of(file, y[1], name, assumptions);
  data::Metadata metadata;
  data::store(preprocessing, metadata);
  store_labels(labels, metadata);
  return {{nn::compile(graph, {.metadata = std::move(metadata)}), preprocessing, std::move(labels)},
          std::move(assumptions)};
}

}  // namespace

ModelFile read_model_file(const std::filesystem::path& path) {
  auto bytes = std::make_shared<const std::vector<std::uint8_t>>(
      data::read_file("checkpoint", path, limits::kFile));
  if (begins_as_tflite(*bytes)) {
    return parse_tflite(*bytes, path.string());
  }
  if (begins_as_onnx(*bytes)) {
    return parse_onnx(*bytes, path.string());
  }
  return parse_archive(std::move(bytes), path);
}

Classifier make_classifier(const GraphFile& file, const std::string& name,
                           const VariantOptions& given) {
  Recognition found = recognize(file.graph);
  check(found.network.has_value(), "read_classifier: ", name,
        ": must hold a MobileNetV2: ", found.difference);
  Checkpoint& checkpoint = found.network->checkpoint;
  data::Metadata metadata = file.metadata;
  checkpoint.metadata.merge(metadata);
  Variant variant = read_variant(describe(checkpoint), name, given);
  if (!given.activation && std::isinf(found.network->activation.hi)) {
    variant.options.activation = Activation::relu;
  }
  Classifier classifier{.net = std::make_unique<MobileNetV2>(variant.options),
                        .preprocessing = variant.preprocessing,
                        .labels = std::move(variant.labels),
                        .assumptions = file.remarks};
  std::ranges::copy(found.network->assumptions, std::back_inserter(classifier.assumptions));
  std::ranges::copy(variant.assumptions, std::back_inserter(classifier.assumptions));
  load(*classifier.net, checkpoint, name);
  return classifier;
}

Classifier read_any_classifier(const std::filesystem::path& path, const VariantOptions& given) {
  ModelFile file = read_model_file(path);
  if (const auto* graph = std::get_if<GraphFile>(&file)) {
    return make_classifier(*graph, path.string(), given);
  }
  return make_classifier(std::get<Archive>(std::move(file)), path.string(), given);
}

ReadClassifier read_compiled_classifier(const std::filesystem::path& path,
                                        const VariantOptions& given) {
  ModelFile file = read_model_file(path);
  if (const auto* graph = std::get_if<GraphFile>(&file)) {
    return compile(*graph, path.string(), given);
  }
  Classifier classifier = make_classifier(std::get<Archive>(std::move(file)), path.string(), given);
  return {compile(classifier), std::move(classifier.assumptions)};
}

}  // namespace lamina::models

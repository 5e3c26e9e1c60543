#pragma once

#include <filesystem>
#include <variant>
#include <vector>

#include "models/checkpoint/archive.h"
#include "models/checkpoint/graph_file.h"
#include "models/compiled_classifier.h"

/// Files of every kind that is read, as tensors or as a network.
namespace lamina::models {

/// What a file holds: named tensors, or a network as operations.
using ModelFile = std::variant<Archive, GraphFile>;

/// Reads safetensors, an index of several, PyTorch's files, TensorFlow Lite or ONNX, told by the
/// first bytes. Throws Error.
ModelFile read_model_file(const std::filesystem::path& path);

/// The MobileNetV2 in a file of any kind: by its tensors' names, or recognized among the
/// operations. Throws Error when there is none.
Classifier read_any_classifier(const std::filesystem::path& path, const VariantOptions& given = {});

/// The same from a network as operations; `name` stands for the file.
Classifier make_classifier(const GraphFile& file, const std::string& name,
                           const VariantOptions& given = {});

/// A classifier as read from a file, and what the file did not say, a sentence each.
struct ReadClassifier {
  CompiledClassifier classifier;
  std::vector<std::string> assumptions;
};

/// Compiles what the file holds: a MobileNetV2 by its tensors, or any network that takes a square
/// picture and gives a number for each class; a softmax at its end is left out. Throws Error.
ReadClassifier read_compiled_classifier(const std::filesystem::path& path,
                                        const VariantOptions& given = {});

}  // namespace lamina::models

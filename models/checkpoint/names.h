#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/archive.h"

/// What other libraries call a MobileNetV2's tensors, and what we do: as torchvision.
namespace lamina::models {

/// Whose names and layout a checkpoint's tensors have. PyTorch's have weights [O, I, KH, KW],
/// TensorFlow's (Keras, TF-slim) [KH, KW, I, O].
enum class Naming {
  torchvision,
  mmcls,         ///< MMClassification and MMPretrain
  tonylins,      ///< github.com/tonylins/pytorch-mobilenet-v2
  d_li14,        ///< github.com/d-li14/mobilenetv2.pytorch
  timm,          ///< PyTorch Image Models
  transformers,  ///< Hugging Face's MobileNetV2ForImageClassification
  keras,
  tf_slim,
};

std::span<const Naming> all_namings();

/// "torchvision", "mmcls", "tonylins", "d-li14", "timm", "transformers", "keras" or "tf-slim".
std::string_view name_of(Naming naming);
std::optional<Naming> find_naming(std::string_view name);

/// What a layer's convolution and the batch norm after it are called.
struct LayerNames {
  std::string convolution;
  std::string norm;  ///< empty: there is none
};

/// The 52 convolutions in order of execution, then the classifier.
std::vector<LayerNames> layer_names(Naming naming);

/// An archive whose tensors have our names, shapes and layout [O, I, KH, KW], where they were
/// known.
struct Renamed {
  Archive archive = {};
  std::optional<Naming> naming = {};      ///< empty: not a MobileNetV2's names; nothing is changed
  std::string prefix = {};                ///< that all names had: "module."
  std::vector<std::string> remarks = {};  ///< what was left out and why, a sentence each
};

/// Tells the naming by the convolutions' names, at least half of which must be there, also behind a
/// prefix that ends in '.' or '/'. Counters of batches, an optimizer's tensors, a second network
/// under another prefix, and the ranges of a quantized network's activations are left out. Other
/// unknown tensors keep their names, so that loading refuses them. No bytes are copied.
Renamed with_our_names(Archive archive);

/// The tensors of a checkpoint of ours under PyTorch's names of that naming. Others keep theirs.
/// Throws Error for TensorFlow's, whose layout nothing here writes.
Checkpoint with_names(const Checkpoint& ours, Naming naming);

}  // namespace lamina::models

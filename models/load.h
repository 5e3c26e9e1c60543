#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/preprocessing.h"
#include "models/checkpoint/archive.h"
#include "models/checkpoint/names.h"
#include "models/mobilenet_v2.h"
#include "models/variant.h"

namespace lamina::models {

/// Copies a checkpoint's tensors into the network, strictly: every name and shape must match.
/// Convolution weights are turned from the file's [O, I, KH, KW] to [O, KH, KW, I]. Where the
/// checkpoint has no batch norm, the network's is folded first. Throws Error, the network
/// unchanged, with every missing, extra and misshapen name; `name` stands for the file.
void load(MobileNetV2& net, const Checkpoint& checkpoint, const std::string& name);
void load(MobileNetV2& net, const Renamed& checkpoint, const std::string& name);

/// The same from a file of any container and naming: read_archive() and with_our_names().
void load(MobileNetV2& net, const std::filesystem::path& path);

/// The network's tensors in the file's layout, with metadata that describes the network. save()
/// adds the preprocessing and writes the file; throws Error when it cannot.
Checkpoint to_checkpoint(MobileNetV2& net);
void save(MobileNetV2& net, const data::Preprocessing& preprocessing,
          const std::filesystem::path& path);

/// A network and what goes with it.
struct Classifier {
  std::unique_ptr<MobileNetV2> net;
  data::Preprocessing preprocessing;
  std::vector<std::string> labels;
  /// What the file did not say and was assumed, or was left out of it, a sentence each; empty when
  /// it said everything.
  std::vector<std::string> assumptions;

  /// One image as preprocessing makes it: what to trace the network with.
  Shape input_shape() const { return {1, preprocessing.crop, preprocessing.crop, 3}; }
};

/// Builds the network that a checkpoint of any container and naming describes: see read_variant().
/// Throws Error when it is not a MobileNetV2 or contradicts itself.
Classifier read_classifier(const std::filesystem::path& path, const VariantOptions& given = {});

/// The same from tensors already read; `name` stands for the file.
Classifier make_classifier(Archive archive, const std::string& name,
                           const VariantOptions& given = {});

}  // namespace lamina::models

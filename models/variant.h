#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/preprocessing.h"
#include "models/checkpoint/names.h"
#include "models/metadata.h"
#include "models/mobilenet_v2.h"

/// Which MobileNetV2 a checkpoint holds, and how that is known.
namespace lamina::models {

/// What a user says of a checkpoint, which its file then need not.
struct VariantOptions {
  std::optional<nn::PaddingMode> padding = {};
  std::optional<float> epsilon = {};
  std::optional<Activation> activation = {};
  std::optional<data::Preprocessing> preprocessing = {};
};

/// The preprocessing of published weights: "torchvision", "torchvision-v2", "timm" or "tf"; empty
/// for other names.
std::optional<data::Preprocessing> find_preprocessing(std::string_view name);
std::span<const std::string_view> preprocessing_names();

/// A checkpoint without its values.
struct Description {
  std::map<std::string, Shape> shapes;  ///< under our names
  data::Metadata metadata;
  std::optional<Naming> naming;
};

/// Throws Error when a tensor that is loaded has more than four axes.
Description describe(const Renamed& renamed, std::string_view name);
Description describe(const Checkpoint& checkpoint);

/// One thing about a variant.
struct Finding {
  std::string what;   ///< "padding"
  std::string value;  ///< "symmetric"
  std::string why;    ///< "metadata", "channels of the tensors", "as in timm's model", "an option"
};

struct Variant {
  MobileNetV2Options options;
  NormState norm = NormState::separate;
  data::Preprocessing preprocessing;
  std::vector<std::string> labels;
  std::vector<Finding> findings;
  std::vector<std::string> assumptions;  ///< what was not in the file, a sentence each
};

/// Counts come from the shapes, the rest from what the user said, or the metadata, or else from
/// the model that the names belong to. `name` stands for the file. Throws Error when it is not a
/// MobileNetV2 or contradicts itself.
Variant read_variant(const Description& description, const std::string& name,
                     const VariantOptions& given = {});

}  // namespace lamina::models

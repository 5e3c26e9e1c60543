#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/preprocessing.h"
#include "models/checkpoint/archive.h"
#include "models/mobilenet_v2.h"

/// How a checkpoint's text describes a MobileNetV2: for models, and for programs that write
/// checkpoints of their own.
namespace lamina::models {

enum class NormState { separate, folded };

/// Writes the keys arch, width_mult, round_to, num_classes, padding, stride, epsilon, bn and, where
/// it is not ReLU6, activation.
void store(const MobileNetV2Options& options, NormState norm, data::Metadata& metadata);

/// The key labels: a line for each class, the last one's end optional; empty when it is absent.
void store_labels(const std::vector<std::string>& labels, data::Metadata& metadata);
std::optional<std::vector<std::string>> read_labels(const data::Metadata& metadata);

/// Whether the tensors include batch norm's statistics.
bool has_norm(const Checkpoint& checkpoint);

/// The options of the network that a checkpoint under our names holds: counts from its shapes, the
/// rest from its metadata. What neither says is taken to be torchvision's, and a sentence each
/// added to `assumptions`. `name` stands for the file. Throws Error when it is not a MobileNetV2 or
/// contradicts itself.
MobileNetV2Options read_options(const Checkpoint& checkpoint, const std::string& name,
                                std::vector<std::string>& assumptions);

}  // namespace lamina::models

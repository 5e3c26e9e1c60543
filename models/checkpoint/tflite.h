#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "models/checkpoint/graph_file.h"

namespace lamina::models {

/// Whether a file that begins with these bytes is TensorFlow Lite's: "TFL3" after four others.
bool begins_as_tflite(std::span<const std::uint8_t> bytes);

/// The network in a TensorFlow Lite file, the first subgraph: float32, float16 or quantized.
/// Quantized weights and biases become the numbers (q - zero point) scale that they stand for, and
/// the network computes in float32 what its integers approximate. Where those can hold no negative
/// number and no activation is named, that range is the activation, and becomes bounds.
///
/// An image input of 8 bits puts its scale and zero point into the metadata as a Preprocessing
/// whose values are those that the integers stand for; other keys: description, input.tensor,
/// input.scale, input.zero_point, output.tensor. `name` stands for the file in messages.
/// Throws Error, naming the operator, for an operation or option that Graph has not, and for every
/// inconsistency; the bytes are verified before they are used and may be hostile.
GraphFile parse_tflite(std::span<const std::uint8_t> bytes, std::string_view name);
GraphFile read_tflite(const std::filesystem::path& path);

}  // namespace lamina::models

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/safetensors.h"
#include "models/mobilenet_v2.h"

namespace lamina::test {

/// Gives every tensor values that keep activations of order one, and variances positive.
void randomize(models::MobileNetV2& net, std::uint64_t seed);

/// The bytes of a safetensors file with that header.
std::vector<std::uint8_t> safetensors_file(const std::string& header, const std::string& data);

/// A file that holds those tensors.
models::Archive to_archive(const models::Checkpoint& checkpoint);

}  // namespace lamina::test

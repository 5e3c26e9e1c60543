#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"

namespace lamina::models {

/// Named tensors and text, as a checkpoint file holds them. Tensors keep the file's layout and
/// their values are converted to float32.
struct Checkpoint {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// The longest header of a safetensors file that is read, bytes.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 100'000'000;

/// Reads a safetensors file from memory. Everything is validated before anything is allocated: the
/// header's size, that offsets tile the data exactly, that sizes match shapes and types. F64, F32,
/// F16 and BF16 become float32; integer tensors (as batch norm's counters) are left out. `name`
/// stands for the file in messages. Throws Error.
Checkpoint parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name);

/// Reads a file of at most 4 GiB. Throws Error, also when it cannot be read.
Checkpoint read_safetensors(const std::filesystem::path& path);

/// Writes float32 tensors in order of name: to a temporary name beside it, synced, then renamed.
/// Throws Error when a tensor is called "__metadata__" or the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace lamina::models

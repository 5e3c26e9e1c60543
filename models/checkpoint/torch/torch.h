#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "models/checkpoint/archive.h"

namespace lamina::models {

/// Whether the first bytes are those of a file that parse_torch() reads or explains: a zip archive,
/// the form before PyTorch 1.6, or the tar archive of PyTorch 0.1.
bool is_torch(std::span<const std::uint8_t> bytes);

/// Reads what torch.save wrote from memory, which the result refers to: a state dict, or a training
/// checkpoint around one. Both forms, all dtypes that are numbers, views, strides, shared storages
/// and quantized tensors; nothing in the file is run. `name` stands for the file in messages.
/// Throws Error: for tar archives, whole pickled modules and TorchScript programs too, with what to
/// do.
Archive parse_torch(std::span<const std::uint8_t> bytes, std::string_view name);

}  // namespace lamina::models

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "models/checkpoint/archive.h"

namespace lamina::models {

/// Reads a safetensors file from memory, which the result refers to. Everything is validated before
/// anything is allocated: the header's size, that offsets tile the data exactly, that sizes match
/// shapes and types. `name` stands for the file in messages. Throws Error.
Archive parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name);

/// How values are stored.
enum class StoredType { f32, f16, bf16 };

/// Writes tensors in order of name: to a temporary name beside it, synced, then renamed. Values are
/// rounded to the nearest of the type. Throws Error when a tensor is called "__metadata__", a name
/// or text is not UTF-8, or the file cannot be written.
void write_safetensors(const std::filesystem::path& path, const Checkpoint& checkpoint,
                       StoredType type = StoredType::f32);

}  // namespace lamina::models

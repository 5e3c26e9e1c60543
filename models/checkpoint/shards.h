#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "models/checkpoint/archive.h"

namespace lamina::models {

/// Whether a file begins as the index of a checkpoint in several files, which is JSON.
bool begins_as_index(std::span<const std::uint8_t> bytes);

/// Reads an index, {"weight_map": {"tensor": "file"}}, as model.safetensors.index.json, and the
/// safetensors files that it names. These must be plain names of regular files beside the index:
/// no other folder and no symbolic link is ever followed. Throws Error, also when a tensor is
/// missing from the file it should be in, or is in one that the index does not say.
Archive read_shards(std::span<const std::uint8_t> index, const std::filesystem::path& path);

}  // namespace lamina::models

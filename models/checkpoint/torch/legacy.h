#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "models/checkpoint/archive.h"

namespace lamina::models::torch {

/// Whether the file begins as torch.save wrote them before PyTorch 1.6.
bool is_legacy(std::span<const std::uint8_t> bytes);

/// Whether the file is the tar archive that PyTorch 0.1 wrote.
bool is_tar(std::span<const std::uint8_t> bytes);

/// Reads that form: pickles of a magic number, the protocol (1001), the machine, the object and the
/// storages' keys, then the storages, each a 64-bit count and its elements. As parse_torch().
Archive parse_legacy(std::span<const std::uint8_t> bytes, std::string_view name);

}  // namespace lamina::models::torch

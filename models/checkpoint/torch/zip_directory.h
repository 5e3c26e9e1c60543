#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/checkpoint/torch/zip.h"

namespace lamina::models::torch {

/// The entries of a zip archive as its central directory lists them, each compared with its local
/// header. Throws Error, its message begun with `prefix`.
std::vector<ZipEntry> read_zip_directory(std::span<const std::uint8_t> bytes,
                                         const std::string& prefix);

}  // namespace lamina::models::torch

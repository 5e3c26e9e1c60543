#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace lamina::test {

/// An array of a .npy file, its values (u8, i8, f16, f32 or f64, C order, little endian) as
/// doubles.
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

/// Throws Error when the file is not of that kind.
NpyArray read_npy(const std::filesystem::path& path);

}  // namespace lamina::test

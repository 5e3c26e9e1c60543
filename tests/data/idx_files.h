#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace lamina::test {

/// The bytes of an IDX file, as its format lays them out.
std::string idx_bytes(const std::vector<std::uint32_t>& extents, const std::string& values);

/// What gzip makes of the bytes.
std::string gzip(const std::string& bytes);

/// A folder of gray pictures of 2 x 3: picture i of a part has the pixels 10 i, 10 i + 1, ...; its
/// label is i % classes.
struct IdxSample {
  std::size_t train = 6, test = 4;
  std::size_t classes = 3;
};
void write_idx_files(const std::filesystem::path& folder, const IdxSample& sample = {});

}  // namespace lamina::test

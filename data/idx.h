#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lamina::data {

/// An array of bytes from an IDX file, MNIST's format: two zero bytes, 8 for unsigned bytes, the
/// number of dimensions, each extent as four bytes, the highest first; then the values, row-major.
struct IdxArray {
  std::vector<std::size_t> extents;
  std::vector<std::uint8_t> values;
};

/// Reads a file of `rank` dimensions (1 to 4), plain or compressed by gzip. At most 4 GiB, and no
/// more memory than its header declares and its bytes can hold. Throws Error naming the file and
/// the byte when it is truncated, damaged, of another kind, or holds more than it declares.
IdxArray read_idx(const std::filesystem::path& path, std::size_t rank);

/// True when `folder` holds images of the training or the test split under MNIST's names.
bool has_idx_files(const std::filesystem::path& folder);

/// Reads the pictures of such a folder. Their classes are options.class_names; where that is empty,
/// Fashion-MNIST's for a folder named fashion-mnist, else default_labels(highest label of all
/// splits + 1). Throws Error when files are missing, malformed or disagree, or a label has no name.
DatasetHandle open_idx(const std::filesystem::path& folder, const DatasetOptions& options = {});

/// Where Debian's package dataset-fashion-mnist puts its files: datasets/fashion-mnist below one of
/// the folders of XDG_DATA_DIRS, or of /usr/local/share and /usr/share where that is not set. Empty
/// when it is not installed.
std::optional<std::filesystem::path> find_fashion_mnist();

/// The names of Fashion-MNIST's ten classes: "T-shirt/top", "Trouser", ...
const std::vector<std::string>& fashion_mnist_labels();

}  // namespace lamina::data

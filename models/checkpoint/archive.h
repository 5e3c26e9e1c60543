#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "models/checkpoint/element_type.h"

/// What checkpoint files hold, whatever their container: an Archive is the file as it is, a
/// Checkpoint its numbers as float32.
namespace lamina::models {

/// Integers q that stand for the real numbers (q - zero_point) scale.
struct Quantization {
  std::vector<double> scales;  ///< one, or one for each index along `axis`
  std::vector<std::int64_t> zero_points;
  std::size_t axis = 0;
};

/// A tensor as the file stores it, of any rank. Nothing is copied: it lives as long as its Archive.
struct StoredTensor {
  const ElementType* type = nullptr;
  std::vector<std::uint64_t> shape = {};
  std::vector<std::uint64_t> strides = {};   ///< in elements; empty: row-major without gaps
  std::span<const std::uint8_t> bytes = {};  ///< begins with the first element and covers the last
  std::shared_ptr<const Quantization> quantization =
      nullptr;  ///< null: the elements are the values

  /// The number of elements. Readers have checked that it fits.
  std::uint64_t size() const;
};

/// A checkpoint file's content.
struct Archive {
  std::string container = {};  ///< for people: "safetensors", "PyTorch (zip)"
  std::map<std::string, StoredTensor> tensors = {};
  std::map<std::string, std::string> metadata = {};
  std::vector<std::string> remarks = {};       ///< what was left out and why, a sentence each
  std::shared_ptr<const void> file = nullptr;  ///< keeps the bytes
};

/// Named tensors and text. Tensors keep the file's layout and their values are converted to
/// float32.
struct Checkpoint {
  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

/// Reads a checkpoint of any container, told by its first bytes, never by its name. Throws Error.
Archive read_archive(const std::filesystem::path& path);

/// The same from a file's bytes, which the result keeps; `path` says where other files of the
/// checkpoint lie, and stands for the file in messages.
Archive parse_archive(std::shared_ptr<const std::vector<std::uint8_t>> bytes,
                      const std::filesystem::path& path);

/// The elements in row-major order, in the file's type.
std::vector<std::uint8_t> packed(const StoredTensor& tensor);

/// The values as float32. Throws Error for more than four axes.
Tensor to_float(const StoredTensor& tensor);

/// Whether its values are numbers for float32: floating-point or quantized.
bool is_loaded(const StoredTensor& tensor);

/// Throws Error, naming the tensor and the file, when it has more than four axes.
void check_rank(const StoredTensor& tensor, std::string_view tensor_name, std::string_view name);

/// Throws Error when loaded tensors share or repeat their bytes more than to_checkpoint() allows.
void check_growth(const Archive& archive, std::string_view name);

/// Floating-point and quantized tensors as float32; other integers, as batch norm's counters, are
/// left out. `name` stands for the file. Throws Error when a tensor has more than four axes, and
/// when the tensors, by sharing or repeating their bytes, would need over 8 times those bytes plus
/// 64 KiB.
Checkpoint to_checkpoint(const Archive& archive, std::string_view name);

/// read_archive() and to_checkpoint().
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace lamina::models

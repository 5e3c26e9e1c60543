#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace lamina::models::torch {

/// The entry of write_torch()'s metadata, below the archive's folder.
inline constexpr std::string_view kMetadataName = "/lamina_metadata.pkl";

/// A pickle of a dict of texts, protocol 2.
std::string pickle_texts(const std::map<std::string, std::string>& texts);

/// Writes the pickle of a state dict, protocol 2, with the opcodes that torch.save uses.
class StateDictPickle {
 public:
  StateDictPickle();

  /// A tensor that fills the storage of that key, row-major; `type` is torch's name of the
  /// storage's class.
  void add(std::string_view name, std::string_view type, std::string_view key,
           std::span<const std::size_t> shape);

  /// The pickle, ended.
  std::string finish() &&;

 private:
  void integer(std::uint64_t value);
  void global(std::string_view module, std::string_view name);
  void empty_ordered_dict();
  void integers(std::span<const std::uint64_t> values);

  std::string bytes_;
  std::map<std::string, char> memo_;
};

}  // namespace lamina::models::torch

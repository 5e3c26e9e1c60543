#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/element_type.h"

/// Inside models only: the JSON of safetensors files.
namespace lamina::models {

/// What the header says of one tensor: `shape` elements in bytes [begin, end) of the data.
struct HeaderEntry {
  const ElementType* type = nullptr;
  std::vector<std::uint64_t> shape = {};
  std::uint64_t begin = 0, end = 0;
};

struct Header {
  std::map<std::string, HeaderEntry> entries = {};
  std::map<std::string, std::string> metadata = {};
};

/// Reads a header once from its beginning to its end and keeps nothing but the result. Throws
/// Error, its message begun with `prefix`, unless it is an object of tensors, {"dtype", "shape",
/// "data_offsets"}, and "__metadata__", an object of strings, in which no name comes twice, sizes
/// are those of the shapes, and all stay below the caps of limits.h.
Header parse_header(std::string_view header, std::string_view prefix);

/// The index file of a checkpoint in several files: which file has a tensor.
/// {"weight_map": {"tensor": "file"}, ...}; the rest is skipped. Throws Error as above.
std::map<std::string, std::string> parse_index(std::string_view json, std::string_view prefix);

/// The name as JSON writes it, control characters and foreign letters escaped, bytes that are not
/// UTF-8 as U+FFFD.
std::string in_quotes(std::string_view name);

/// Whether all of it is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace lamina::models

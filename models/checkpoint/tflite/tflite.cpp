#include "models/checkpoint/tflite.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "data/file.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/tflite/importer.h"

namespace lamina::models {
namespace {

constexpr std::size_t kAlignment = 8;

GraphFile parse_aligned(std::span<const std::uint8_t> bytes, std::string_view name) {
  try {
    const tflite::Model model(bytes);
    return tflite::Importer(model, bytes.size()).run();
  } catch (const Error& error) {
    throw Error(text("tflite: ", name, ": ", error.what()));
  }
}

}  // namespace

bool begins_as_tflite(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 8 && std::memcmp(bytes.data() + 4, tflite::ModelTableIdentifier(), 4) == 0;
}

GraphFile parse_tflite(std::span<const std::uint8_t> bytes, std::string_view name) {
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % kAlignment == 0) {
    return parse_aligned(bytes, name);
  }
  const std::vector<std::uint8_t> aligned(bytes.begin(), bytes.end());
  return parse_aligned(aligned, name);
}

GraphFile read_tflite(const std::filesystem::path& path) {
  return parse_tflite(data::read_file("tflite", path, limits::kTfliteFile), path.string());
}

}  // namespace lamina::models

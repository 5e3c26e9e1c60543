#include <algorithm>
#include <array>

#include "core/atomic_file.h"
#include "core/error.h"
#include "models/checkpoint/half.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/safetensors.h"

namespace lamina::models {
namespace {

constexpr const char* kMetadata = "__metadata__";

// Conversion from float32, of the types that are written.
struct Writer {
  StoredType type;
  std::string_view name;
  std::uint16_t (*convert)(float);  // null: as it is
};

constexpr std::array<Writer, 3> kWriters = {{
    {StoredType::f32, "F32", nullptr},
    {StoredType::f16, "F16", to_f16},
    {StoredType::bf16, "BF16", to_bf16},
}};

std::string make_metadata(const std::map<std::string, std::string>& metadata) {
  std::string json = text('"', kMetadata, "\":{");
  for (const auto& [key, value] : metadata) {
    json += text(json.ends_with('{') ? "" : ",", in_quotes(key), ':', in_quotes(value));
  }
  return json + '}';
}

std::string make_header(const Checkpoint& checkpoint, const Writer& writer) {
  std::string header =
      "{" + (checkpoint.metadata.empty() ? "" : make_metadata(checkpoint.metadata));
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    header += text(header.size() == 1 ? "" : ",", in_quotes(name), ":{\"dtype\":\"", writer.name,
                   "\",\"shape\":[");
    for (std::size_t axis = 0; axis < tensor.shape().rank(); ++axis) {
      header += text(axis == 0 ? "" : ",", tensor.shape()[axis]);
    }
    const std::uint64_t begin = offset;
    offset += tensor.size() * (writer.convert == nullptr ? sizeof(float) : sizeof(std::uint16_t));
    header += text("],\"data_offsets\":[", begin, ',', offset, "]}");
  }
  header += '}';
  header.resize((header.size() + 7) / 8 * 8, ' ');  // aligns the data
  return header;
}

void check_text(const Checkpoint& checkpoint) {
  const auto require = [](std::string_view text) {
    check(is_utf8(text), "safetensors: names and metadata must be UTF-8: ", in_quotes(text));
  };
  check(!checkpoint.tensors.contains(kMetadata), "safetensors: no tensor may be called ",
        kMetadata);
  for (const auto& [name, tensor] : checkpoint.tensors) {
    require(name);
  }
  for (const auto& [key, value] : checkpoint.metadata) {
    require(key);
    require(value);
  }
}

void write_values(const Tensor& tensor, const Writer& writer, AtomicFile& file) {
  if (writer.convert == nullptr) {
    file.write(tensor.data(), tensor.size() * sizeof(float));
    return;
  }
  std::vector<std::uint16_t> halves(tensor.size());
  std::ranges::transform(tensor.values(), halves.begin(), writer.convert);
  file.write(halves.data(), halves.size() * sizeof(std::uint16_t));
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const Checkpoint& checkpoint,
                       StoredType type) {
  check_text(checkpoint);
  const Writer& writer = *std::ranges::find(kWriters, type, &Writer::type);
  const std::string header = make_header(checkpoint, writer);
  const std::uint64_t length = header.size();
  AtomicFile file("safetensors", path);
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const auto& [name, tensor] : checkpoint.tensors) {
    write_values(tensor, writer, file);
  }
  file.commit();
}

}  // namespace lamina::models

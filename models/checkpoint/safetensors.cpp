#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"

namespace lamina::models {
namespace {

using nlohmann::json;

constexpr std::uint8_t kZip[] = {'P', 'K', 3, 4};
constexpr std::size_t kLengthBytes = 8;
constexpr const char* kMetadata = "__metadata__";

// What the header says of one tensor.
struct Entry {
  std::string name;
  const ElementType* type;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin, end;
};

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, std::string_view name)
      : bytes_(bytes), prefix_(text("safetensors: ", name, ": ")) {}

  Archive read() {
    split();
    const json header = parse_header();
    Archive archive{.container = "safetensors"};
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        archive.metadata = read_metadata(value);
      } else {
        entries.push_back(read_entry(name, value));
      }
    }
    check_tiling(entries);
    for (Entry& entry : entries) {
      archive.tensors[entry.name] = {.type = entry.type,
                                     .shape = std::move(entry.shape),
                                     .bytes = data_.subspan(entry.begin, entry.end - entry.begin)};
    }
    return archive;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  void split() {
    require(bytes_.size() >= kLengthBytes,
            "file must begin with the 8 bytes of the header's length: it has ", bytes_.size());
    std::uint64_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof length);
    require(!std::ranges::equal(bytes_.first(4), kZip),
            "is a zip archive, as torch.save writes: save the state dict with "
            "safetensors.torch.save_file");
    require(length <= limits::kSafetensorsHeader,
            "is not a safetensors file: its header would have ", length, " bytes, the most is ",
            limits::kSafetensorsHeader);
    require(length <= bytes_.size() - kLengthBytes, "header must fit in the file: its length is ",
            length, ", the file goes on for ", bytes_.size() - kLengthBytes, " bytes");
    header_ = bytes_.subspan(kLengthBytes, length);
    data_ = bytes_.subspan(kLengthBytes + length);
  }

  json parse_header() const {
    const std::string_view header(reinterpret_cast<const char*>(header_.data()), header_.size());
    check_header_rules(header, prefix_);
    json parsed = json::parse(header);
    require(parsed.is_object(), "header must be a JSON object: it is of type ", parsed.type_name());
    return parsed;
  }

  std::map<std::string, std::string> read_metadata(const json& value) const {
    require(value.is_object(), kMetadata, " must be an object of strings: it is of type ",
            value.type_name());
    std::map<std::string, std::string> metadata;
    for (const auto& [key, item] : value.items()) {
      require(item.is_string(), kMetadata, " must be an object of strings: ", in_quotes(key),
              " is of type ", item.type_name());
      metadata.emplace(key, item.get<std::string>());
    }
    return metadata;
  }

  static bool are_sizes(const json& value) {
    return value.is_array() &&
           std::ranges::all_of(value, [](const json& item) { return item.is_number_unsigned(); });
  }

  Entry read_entry(const std::string& name, const json& value) const {
    const std::string tensor = text("tensor ", in_quotes(name), ": ");
    require(value.is_object() && value.size() == 3 && value.contains("dtype") &&
                value.contains("shape") && value.contains("data_offsets"),
            tensor, "must have dtype, shape and data_offsets, and nothing else");
    const json& dtype = value["dtype"];
    const json& shape = value["shape"];
    const json& offsets = value["data_offsets"];
    require(dtype.is_string() && find_element_type(dtype.get_ref<const std::string&>()) != nullptr,
            tensor, "dtype must be that of numbers of 1 to 8 bytes: got ",
            dtype.dump(-1, ' ', true, json::error_handler_t::replace));
    require(are_sizes(shape), tensor, "shape must be a list of sizes: got ", shape.dump());
    require(are_sizes(offsets) && offsets.size() == 2, tensor,
            "data_offsets must be two offsets: got ", offsets.dump());
    Entry entry{.name = name,
                .type = find_element_type(dtype.get_ref<const std::string&>()),
                .shape = shape.get<std::vector<std::uint64_t>>(),
                .begin = offsets[0].get<std::uint64_t>(),
                .end = offsets[1].get<std::uint64_t>()};
    check_size(entry, shape.dump(), tensor);
    return entry;
  }

  void check_size(const Entry& entry, const std::string& shape, const std::string& tensor) const {
    std::uint64_t bytes = entry.type->bytes;
    for (const std::uint64_t extent : entry.shape) {
      const std::uint64_t most = std::numeric_limits<std::int64_t>::max();
      require(extent == 0 || bytes <= most / extent, tensor,
              "size must be below 2^63 bytes: shape is ", shape);
      bytes *= extent;
    }
    require(entry.begin <= entry.end && entry.end - entry.begin == bytes, tensor,
            "size must be that of its shape: data_offsets are ", entry.begin, " to ", entry.end,
            ", ", entry.type->name, " x ", shape, " needs ", bytes, " bytes");
  }

  void check_tiling(std::vector<Entry>& entries) const {
    std::ranges::sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
      require(entry.begin == end, "tensors must follow one another: ", in_quotes(entry.name),
              " begins at ", entry.begin, ", the one before ends at ", end);
      end = entry.end;
    }
    require(end <= data_.size(), "is truncated: its tensors need ", end, " bytes, it has ",
            data_.size());
    require(end == data_.size(), "tensors must fill the data: they end at ", end, ", the data at ",
            data_.size());
  }

  std::span<const std::uint8_t> bytes_, header_, data_;
  std::string prefix_;
};

std::string make_header(const Checkpoint& checkpoint) {
  json header = json::object();
  if (!checkpoint.metadata.empty()) {
    header[kMetadata] = checkpoint.metadata;
  }
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const std::uint64_t begin = offset;
    offset += tensor.size() * sizeof(float);
    header[name] = {
        {"dtype", "F32"},
        {"shape", std::vector<std::size_t>(tensor.shape().begin(), tensor.shape().end())},
        {"data_offsets", {begin, offset}}};
  }
  std::string header_text = header.dump();
  header_text.resize((header_text.size() + 7) / 8 * 8, ' ');  // aligns the data
  return header_text;
}

}  // namespace

Archive parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name) {
  return Reader(bytes, name).read();
}

void write_safetensors(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  check(!checkpoint.tensors.contains(kMetadata), "safetensors: no tensor may be called ",
        kMetadata);
  const std::string header = make_header(checkpoint);
  const std::uint64_t length = header.size();
  AtomicFile file("safetensors", path);
  file.write(&length, sizeof length);
  file.write(header.data(), header.size());
  for (const auto& [name, tensor] : checkpoint.tensors) {
    file.write(tensor.data(), tensor.size() * sizeof(float));
  }
  file.commit();
}

}  // namespace lamina::models

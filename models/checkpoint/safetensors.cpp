#include "models/checkpoint/safetensors.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"

namespace lamina::models {
namespace {

constexpr std::uint8_t kZip[] = {'P', 'K', 3, 4};
constexpr std::size_t kLengthBytes = 8;

class Reader {
 public:
  Reader(std::span<const std::uint8_t> bytes, std::string_view name)
      : bytes_(bytes), prefix_(text("safetensors: ", name, ": ")) {}

  Archive read() {
    split();
    Header header =
        parse_header({reinterpret_cast<const char*>(header_.data()), header_.size()}, prefix_);
    check_tiling(header);
    Archive archive{.container = "safetensors", .metadata = std::move(header.metadata)};
    while (!header.entries.empty()) {
      auto node = header.entries.extract(header.entries.begin());
      const HeaderEntry& entry = node.mapped();
      archive.tensors.emplace_hint(
          archive.tensors.end(), std::move(node.key()),
          StoredTensor{.type = entry.type,
                       .shape = entry.shape,
                       .bytes = data_.subspan(entry.begin, entry.end - entry.begin)});
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

  void check_tiling(const Header& header) const {
    std::vector<const std::pair<const std::string, HeaderEntry>*> entries;
    for (const auto& entry : header.entries) {
      entries.push_back(&entry);
    }
    std::ranges::sort(entries, {}, [](const auto* entry) {
      return std::pair(entry->second.begin, entry->second.end);
    });
    std::uint64_t end = 0;
    for (const auto* entry : entries) {
      if (entry->second.begin != end) {
        throw Error(text(prefix_, "tensors must follow one another: ", in_quotes(entry->first),
                         " begins at ", entry->second.begin, ", the one before ends at ", end));
      }
      end = entry->second.end;
    }
    require(end <= data_.size(), "is truncated: its tensors need ", end, " bytes, it has ",
            data_.size());
    require(end == data_.size(), "tensors must fill the data: they end at ", end, ", the data at ",
            data_.size());
  }

  std::span<const std::uint8_t> bytes_, header_, data_;
  std::string prefix_;
};

}  // namespace

Archive parse_safetensors(std::span<const std::uint8_t> bytes, std::string_view name) {
  return Reader(bytes, name).read();
}

}  // namespace lamina::models

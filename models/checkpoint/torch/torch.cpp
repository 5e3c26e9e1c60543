#include "models/checkpoint/torch/torch.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/legacy.h"
#include "models/checkpoint/torch/pickle.h"
#include "models/checkpoint/torch/pickle_writer.h"
#include "models/checkpoint/torch/state_dict.h"
#include "models/checkpoint/torch/tensors.h"
#include "models/checkpoint/torch/zip.h"

namespace lamina::models {
namespace torch {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";

class ZipReader : public Storages {
 public:
  ZipReader(std::span<const std::uint8_t> bytes, std::string_view name)
      : prefix_(text("torch: ", name, ": ")), zip_(bytes, prefix_) {}

  Archive read() {
    const ZipEntry& object = find_pickle();
    folder_ = object.name.substr(0, object.name.size() - kPickleName.size());
    check_program();
    check_byte_order();
    const Pickle pickle(zip_.read(object), text(prefix_, "data.pkl: "));
    Archive archive = read_state_dict(pickle, *this, prefix_);
    archive.container = "PyTorch (zip)";
    add_metadata(archive);
    archive.file = zip_.inflated();
    return archive;
  }

  std::span<const std::uint8_t> bytes(const StorageRef& storage) override {
    const ZipEntry* entry = zip_.find(text(folder_, "/data/", storage.key));
    require(entry != nullptr, "storage ", shown(storage.key), " must be in the archive: it is not");
    const std::uint64_t width = std::max<std::uint64_t>(storage.type->bytes, 1);
    require(entry->size % width == 0 && entry->size / width == storage.count, "storage ",
            shown(storage.key), " must have the size that the object names, ", storage.count, " x ",
            width, " bytes: it has ", entry->size);
    return zip_.read(*entry);
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  const ZipEntry* find(std::string_view name) const { return zip_.find(text(folder_, name)); }

  const ZipEntry& find_pickle() const {
    const auto is_pickle = [](const ZipEntry& entry) {
      return entry.name.ends_with(kPickleName) &&
             entry.name.find('/') == entry.name.size() - kPickleName.size();
    };
    const auto found = std::ranges::find_if(zip_.entries(), is_pickle);
    require(found != zip_.entries().end(),
            "is a zip archive, but not one of torch.save: it holds no FOLDER/data.pkl");
    return *found;
  }

  void check_program() const {
    require(find("/constants.pkl") == nullptr,
            "is a TorchScript program, not a state dict: load it with torch.jit.load and save its "
            "tensors: torch.save(model.state_dict(), path)");
  }

  void check_byte_order() {
    const ZipEntry* order = find("/byteorder");
    require(order == nullptr || text_of(zip_.read(*order)) == "little",
            "must have been written on a little-endian machine: it was not");
  }

  // What write_torch() adds. The file itself says more than what other programs left in it.
  void add_metadata(Archive& archive) {
    const ZipEntry* entry = find(kMetadataName);
    if (entry == nullptr) {
      return;
    }
    const Pickle pickle(zip_.read(*entry), text(prefix_, kMetadataName.substr(1), ": "));
    const std::span<const Value> items = pickle.items(pickle.root());
    const auto is_text = [&](Value value) { return pickle.is(value, Kind::text); };
    require(pickle.is(pickle.root(), Kind::dict) && items.size() % 2 == 0 &&
                std::ranges::all_of(items, is_text),
            "metadata must be a dict of texts: it is not");
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < items.size(); i += 2) {
      bytes += pickle.text(items[i]).size() + pickle.text(items[i + 1]).size();
      require(bytes <= pickle.size(), "metadata must not repeat its texts: it does");
      archive.metadata.insert_or_assign(std::string(pickle.text(items[i])),
                                        std::string(pickle.text(items[i + 1])));
    }
  }

  std::string prefix_;
  Zip zip_;
  std::string_view folder_;
};

}  // namespace
}  // namespace torch

bool is_torch(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kZip = "PK\3\4";
  return (bytes.size() >= kZip.size() && torch::text_of(bytes.first(kZip.size())) == kZip) ||
         torch::is_legacy(bytes) || torch::is_tar(bytes);
}

Archive parse_torch(std::span<const std::uint8_t> bytes, std::string_view name) {
  check(!torch::is_tar(bytes), "torch: ", name,
        ": is a tar archive, as PyTorch 0.1 wrote: load it with PyTorch and save it again");
  return torch::is_legacy(bytes) ? torch::parse_legacy(bytes, name)
                                 : torch::ZipReader(bytes, name).read();
}

}  // namespace lamina::models

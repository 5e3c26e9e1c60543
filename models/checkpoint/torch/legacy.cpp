#include "models/checkpoint/torch/legacy.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "core/error.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/pickle.h"
#include "models/checkpoint/torch/state_dict.h"
#include "models/checkpoint/torch/tensors.h"

namespace lamina::models::torch {
namespace {

// LONG1 of ten bytes, 0x1950a86a20f9469cfc6c.
constexpr auto kMagic = std::to_array<std::uint8_t>(
    {0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'});
constexpr std::size_t kFrame = 11;  // of protocols from 4 on, PROTO included
constexpr std::int64_t kProtocol = 1001;
constexpr std::size_t kCountBytes = 8;
constexpr std::size_t kTarMagic = 257;

std::size_t magic_end(std::span<const std::uint8_t> bytes) {
  for (const std::size_t begin : {std::size_t{2}, kFrame}) {
    if (bytes.size() >= begin + kMagic.size() && bytes[0] == 0x80 &&
        std::ranges::equal(bytes.subspan(begin, kMagic.size()), kMagic)) {
      return begin + kMagic.size();
    }
  }
  return 0;
}

class LegacyReader : public Storages {
 public:
  LegacyReader(std::span<const std::uint8_t> bytes, std::string_view name)
      : rest_(bytes), file_(bytes.size()), prefix_(text("torch: ", name, ": ")) {}

  Archive read() {
    require(is_legacy(rest_), "must begin with the magic number of torch.save: it does not");
    take(magic_end(rest_));
    read_header();
    const std::string object = text(prefix_, "object's pickle at ", position(), ": ");
    const Pickle pickle(rest_, object);
    take(pickle.size());
    read_storages(pickle);
    Archive archive = read_state_dict(pickle, *this, prefix_);
    archive.container = "PyTorch (legacy)";
    return archive;
  }

  std::span<const std::uint8_t> bytes(const StorageRef& storage) override {
    const auto found = storages_.find(storage.key);
    require(found != storages_.end() && found->second.is_read, "storage ", shown(storage.key),
            " must be in the file: it is not");
    return found->second.bytes;
  }

 private:
  struct Storage {
    std::uint64_t count = 0, width = 0;
    std::span<const std::uint8_t> bytes = {};
    bool is_read = false;
  };

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  std::size_t position() const { return file_ - rest_.size(); }

  std::span<const std::uint8_t> take(std::size_t size) {
    const std::span<const std::uint8_t> taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  void read_header() {
    const Pickle protocol(rest_, prefix_);
    require(protocol.is(protocol.root(), Kind::integer) &&
                protocol.integer(protocol.root()) == kProtocol,
            "legacy protocol must be ", kProtocol, ": it is another");
    take(protocol.size());
    const Pickle machine(rest_, prefix_);
    const std::span<const Value> items = machine.items(machine.root());
    for (std::size_t i = 0; i + 1 < items.size() && machine.is(machine.root(), Kind::dict);
         i += 2) {
      if (machine.is(items[i], Kind::text) && machine.text(items[i]) == "little_endian") {
        require(machine.is(items[i + 1], Kind::boolean) && machine.integer(items[i + 1]) != 0,
                "must have been written on a little-endian machine: it was not");
      }
    }
    take(machine.size());
  }

  void read_storages(const Pickle& pickle) {
    find_storages(pickle);
    const Pickle keys(rest_, text(prefix_, "pickle of keys at ", position(), ": "));
    require(keys.is(keys.root(), Kind::list), "storages' keys must be a list: they are not");
    take(keys.size());
    for (const Value key : keys.items(keys.root())) {
      require(keys.is(key, Kind::text), "storages' keys must be texts: one is not");
      const auto found = storages_.find(keys.text(key));
      require(found != storages_.end() && !found->second.is_read,
              "storages' keys must be those of the object: ", shown(keys.text(key)),
              " is unknown or comes twice");
      read_storage(found->first, found->second);
    }
    require(rest_.empty(), "must end with its last storage: ", rest_.size(), " bytes follow");
  }

  // A storage's type is only known from where the object names it.
  void find_storages(const Pickle& pickle) {
    for (std::uint32_t i = 0; i < pickle.values(); ++i) {
      if (pickle.is({i}, Kind::persistent)) {
        const StorageRef ref = read_storage_ref(pickle, {i}, prefix_);
        const Storage storage{.count = ref.count,
                              .width = std::max<std::uint64_t>(ref.type->bytes, 1)};
        const auto [found, is_new] = storages_.emplace(ref.key, storage);
        require(is_new ||
                    (found->second.count == storage.count && found->second.width == storage.width),
                "storage ", shown(ref.key), " must be named alike everywhere: as ",
                found->second.count, " x ", found->second.width, " bytes and as ", storage.count,
                " x ", storage.width);
      }
    }
  }

  void read_storage(std::string_view key, Storage& storage) {
    require(rest_.size() >= kCountBytes, "is truncated: storage ", shown(key), " has no count at ",
            position());
    const auto count = number_at<std::uint64_t>(rest_, 0);
    require(count == storage.count, "storage ", shown(key), " must have the count that the ",
            "object names, ", storage.count, ": at ", position(), " it has ", count);
    take(kCountBytes);
    require(count <= rest_.size() / storage.width, "is truncated: storage ", shown(key), " needs ",
            count, " x ", storage.width, " bytes at ", position(), ", there are ", rest_.size());
    storage.bytes = take(count * storage.width);
    storage.is_read = true;
  }

  std::span<const std::uint8_t> rest_;
  std::size_t file_;
  std::string prefix_;
  std::map<std::string_view, Storage> storages_;
};

}  // namespace

bool is_legacy(std::span<const std::uint8_t> bytes) { return magic_end(bytes) != 0; }

bool is_tar(std::span<const std::uint8_t> bytes) {
  return bytes.size() > kTarMagic + 5 && text_of(bytes.subspan(kTarMagic, 5)) == "ustar";
}

Archive parse_legacy(std::span<const std::uint8_t> bytes, std::string_view name) {
  return LegacyReader(bytes, name).read();
}

}  // namespace lamina::models::torch

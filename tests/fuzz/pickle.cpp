#include "models/checkpoint/torch/pickle.h"

#include <vector>

#include "models/checkpoint/torch/state_dict.h"
#include "models/checkpoint/torch/tensors.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

using models::torch::Kind;
using models::torch::Pickle;
using models::torch::StorageRef;
using models::torch::Value;

// An opcode of one byte becomes a value, its place on the stack and a container, each in arrays
// that grow; then come names.
constexpr std::size_t kTimes = 320;
constexpr std::size_t kFree = std::size_t{1} << 20;
constexpr std::size_t kStorageBytes = 4096;

// Every storage has as many bytes.
class AnyStorage : public models::torch::Storages {
 public:
  std::span<const std::uint8_t> bytes(const StorageRef& storage) override {
    const std::size_t width = std::max<std::size_t>(storage.type->bytes, 1);
    check(storage.count <= kStorageBytes / width, "storage too large");
    return bytes_;
  }

 private:
  std::vector<std::uint8_t> bytes_ = std::vector<std::uint8_t>(kStorageBytes);
};

void walk(const Pickle& pickle, Input file) {
  promise(pickle.size() <= file.size() && pickle.values() <= file.size() + 3, "linear size");
  for (std::uint32_t i = 0; i < pickle.values(); ++i) {
    for (const Value item : pickle.items({i})) {
      promise(item.index < pickle.values(), "handles of values");
    }
    if (pickle.is({i}, Kind::text)) {
      const std::string_view text = pickle.text({i});
      promise(reinterpret_cast<const std::uint8_t*>(text.data() + text.size()) <=
                  file.data() + file.size(),
              "texts inside of the file");
    }
  }
}

void parse(Input file) {
  const Pickle pickle(file, "fuzz: ");
  walk(pickle, file);
  AnyStorage storages;
  const models::Archive archive = models::torch::read_state_dict(pickle, storages, "fuzz: ");
  for (const auto& [name, tensor] : archive.tensors) {
    promise(models::packed(tensor).size() == tensor.size() * tensor.type->bytes,
            "bytes as the shape says");
  }
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  const Input input(data, size);
  return attempt(kTimes * size + kFree, [&] { parse(input); });
}

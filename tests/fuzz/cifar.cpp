#include "data/cifar.h"

#include <algorithm>

#include "tests/fuzz/target.h"
#include "tests/support/folder.h"

namespace lamina::fuzz {
namespace {

constexpr std::size_t kTimes = 8;
constexpr std::size_t kFree = std::size_t{1} << 19;

void read(const std::filesystem::path& folder) {
  const data::DatasetHandle set = data::open_cifar(folder, data::Split::test);
  for (std::size_t i = 0; i < set->size(); ++i) {
    promise(set->label(i) < set->classes(), "a name for every label");
  }
  promise(set->image(set->size() - 1).pixels.size() == 32 * 32 * 3, "pictures of 32 x 32");
}

}  // namespace
}  // namespace lamina::fuzz

// The file of names up to the first zero byte, then the pictures.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina;
  static const test::Folder folder;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t names = std::min(bytes.find('\0'), size);
  test::write_file(folder / "batches.meta.txt", bytes.substr(0, names));
  test::write_file(folder / "test_batch.bin", bytes.substr(std::min(names + 1, size)));
  return fuzz::attempt(fuzz::kTimes * size + fuzz::kFree, [] { fuzz::read(folder.path()); });
}

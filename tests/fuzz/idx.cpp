#include "data/idx.h"

#include "tests/fuzz/memory_file.h"

namespace lamina::fuzz {
namespace {

// What gzip can pack into a byte, three times while a list grows, and zlib's windows.
constexpr std::size_t kTimes = 3 * 1032;
constexpr std::size_t kFree = std::size_t{1} << 20;

void read(const std::filesystem::path& path, std::size_t rank) {
  const data::IdxArray array = data::read_idx(path, rank);
  std::size_t size = 1;
  for (const std::size_t extent : array.extents) {
    size *= extent;
  }
  promise(array.extents.size() == rank && array.values.size() == size, "values as declared");
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  static MemoryFile file;
  file.set({data, size});
  attempt(kTimes * size + kFree, [] { read(file.path(), 3); });
  return last_refusal().empty() ? 0 : attempt(kTimes * size + kFree, [] { read(file.path(), 1); });
}

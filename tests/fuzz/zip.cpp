#include "models/checkpoint/torch/zip.h"

#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/torch.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

// Deflated entries may be many times as large as the file; a pickle's opcode of one byte becomes a
// value, its place on the stack and a container, each in arrays that grow.
constexpr std::size_t kTimes = models::limits::kZipGrowth * 160;
constexpr std::size_t kFree = 3 * models::limits::kZipFree;

bool is_inside(Input part, Input file) {
  return part.empty() ||
         (part.data() >= file.data() && part.data() + part.size() <= file.data() + file.size());
}

void parse_entries(Input file) {
  models::torch::Zip zip(file, "fuzz: ");
  std::size_t stored = 0;
  for (const models::torch::ZipEntry& entry : zip.entries()) {
    promise(zip.find(entry.name) == &entry, "names find their entries");
    promise(is_inside(entry.stored, file), "entries inside of the file");
    stored += entry.stored.size();
  }
  promise(stored <= file.size(), "no overlap");
  for (const models::torch::ZipEntry& entry : zip.entries()) {
    const Input content = zip.read(entry);
    promise(content.size() == entry.size, "the size that was said");
    promise(entry.is_deflated || is_inside(content, file), "nothing copied");
  }
}

void parse(Input file) {
  const models::Archive archive = models::parse_torch(file, "fuzz");
  for (const auto& [name, tensor] : archive.tensors) {
    promise(tensor.type != nullptr, "a type");
    const std::size_t bytes = models::packed(tensor).size();
    promise(bytes == tensor.size() * tensor.type->bytes, "bytes as the shape says");
  }
  models::to_checkpoint(archive, "fuzz");
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  const Input input(data, size);
  attempt(kTimes * size + kFree, [&] { parse_entries(input); });
  return attempt(kTimes * size + kFree, [&] { parse(input); });
}

#include "models/checkpoint/safetensors.h"

#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

// A header of small numbers takes most: two bytes of it become one of 16 bytes, and lists grow.
constexpr std::size_t kTimes = 64;
constexpr std::size_t kFree = std::size_t{1} << 18;

void check_tensor(Input file, const models::StoredTensor& tensor) {
  promise(tensor.type != nullptr && tensor.strides.empty(), "a type, and no gaps");
  promise(tensor.size() * tensor.type->bytes == tensor.bytes.size(), "bytes as the shape says");
  promise(tensor.bytes.empty() ||
              (tensor.bytes.data() >= file.data() &&
               tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size()),
          "tensors inside of the file");
}

void parse(Input file) {
  const models::Archive archive = models::parse_safetensors(file, "fuzz");
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : archive.tensors) {
    check_tensor(file, tensor);
    bytes += tensor.bytes.size();
  }
  promise(bytes <= file.size(), "no overlap");
  const models::Checkpoint checkpoint = models::to_checkpoint(archive, "fuzz");
  for (const auto& [name, tensor] : checkpoint.tensors) {
    promise(tensor.size() == archive.tensors.at(name).size(), "as many values");
  }
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  const Input input(data, size);
  return attempt(kTimes * size + kFree, [&] { parse(input); });
}

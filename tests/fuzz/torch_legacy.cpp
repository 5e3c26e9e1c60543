#include "models/checkpoint/torch/legacy.h"
#include "tests/fuzz/target.h"

namespace lamina::fuzz {
namespace {

// As a pickle's, and the storages' bytes, which views may repeat.
constexpr std::size_t kTimes = 320;
constexpr std::size_t kFree = std::size_t{1} << 20;

void parse(Input file) {
  const models::Archive archive = models::torch::parse_legacy(file, "fuzz");
  promise(models::torch::is_legacy(file), "what is read begins as it should");
  for (const auto& [name, tensor] : archive.tensors) {
    promise(tensor.bytes.empty() ||
                (tensor.bytes.data() >= file.data() &&
                 tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size()),
            "tensors inside of the file");
    promise(models::packed(tensor).size() == tensor.size() * tensor.type->bytes,
            "bytes as the shape says");
  }
  models::to_checkpoint(archive, "fuzz");
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  const Input input(data, size);
  return attempt(kTimes * size + kFree, [&] { parse(input); });
}

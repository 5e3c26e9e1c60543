#include "nn/plan.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "core/checksum.h"
#include "nn/isa.h"
#include "tests/fuzz/memory_file.h"

// The layout of the header: magic 8, versions 4 + 4, checksum 8, bytes 8, bytes of the steps 8,
// instruction set 16.
namespace lamina::fuzz {
namespace {

constexpr std::size_t kChecksum = 16, kBytes = 24, kIsa = 40, kHeader = 56;
constexpr std::size_t kTimes = 32;
constexpr std::size_t kFree = std::size_t{1} << 16;
constexpr std::size_t kMostToRun = std::size_t{1} << 14;  // floats: time per input stays short

// As if written that way.
std::vector<std::uint8_t> signed_file(Input file) {
  std::vector<std::uint8_t> bytes(file.begin(), file.end());
  if (bytes.size() >= kHeader) {
    const std::uint64_t size = bytes.size();
    std::memcpy(bytes.data() + kBytes, &size, sizeof size);
    if (bytes[kIsa] != 0xff) {  // else its name is tried as it is
      std::array<char, 16> isa = {};
      std::ranges::copy(std::string_view("reference"), isa.begin());
      std::memcpy(bytes.data() + kIsa, isa.data(), isa.size());
    }
    const std::uint64_t sum = checksum(std::as_bytes(std::span(bytes)).subspan(kBytes));
    std::memcpy(bytes.data() + kChecksum, &sum, sizeof sum);
  }
  return bytes;
}

// Steps that are accepted stay in their memory, which the sanitizers watch.
void run(const nn::Plan& plan) {
  const std::size_t x = plan.input_shape().size(), y = plan.output_shape().size();
  const nn::PlanMemory memory = plan.memory();
  if (x > kMostToRun || y > kMostToRun || memory.arena + memory.scratch > 4 * kMostToRun) {
    return;
  }
  const Tensor got = plan(Tensor::full(plan.input_shape(), 0.5f));
  promise(got.shape() == plan.output_shape(), "a result of the plan's shape");
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina;
  using namespace lamina::fuzz;
  static MemoryFile file;
  nn::set_isa("reference");
  file.set({data, size});
  attempt(kTimes * size + kFree, [] { nn::load_plan(file.path()); });
  file.set(signed_file({data, size}));
  std::optional<nn::Plan> plan;
  attempt(kTimes * size + kFree, [&] { plan = nn::load_plan(file.path()); });
  if (plan) {
    run(*plan);
  }
  return 0;
}

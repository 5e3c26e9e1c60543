#include <gtest/gtest.h>
#include <map>

#include "core/checksum.h"
#include "kernels/dispatch.h"
#include "nn/plan/weights.h"
#include "tests/support/tensors.h"

// Plan files hold weights as the kernels pack them. Where one of these checksums changes, raise
// nn::kPackedLayout, so that older files are refused, and put the new one here.
namespace lamina {
namespace {

std::uint64_t layout_of(const kernels::KernelTable& kernels) {
  constexpr std::size_t kColumns = 77;
  constexpr std::size_t kRows = 13;
  std::vector<std::byte> bytes;
  const Tensor weights = test::random_tensor({kColumns, kRows}, 1);
  for (std::size_t panel = 1; panel <= kernels.max_panel; ++panel) {
    Tensor packed = Tensor::zeros({kernels.packed_size(kColumns, kRows)});
    kernels.pack({.n = kColumns,
                  .k = kRows,
                  .panel = panel,
                  .b = weights.data(),
                  .stride_n = kRows,
                  .stride_k = 1,
                  .packed = packed.data()});
    const auto values = std::as_bytes(packed.values());
    bytes.insert(bytes.end(), values.begin(), values.end());
  }
  return checksum(bytes);
}

TEST(PlanLayout, IsTheOneOfItsNumber) {
  const std::map<std::string, std::uint64_t> known = {{"avx512", 640232270471256766u},
                                                      {"avx2", 2188703623423352510u},
                                                      {"sse2", 10625443616145479121u},
                                                      {"reference", 4548314010009877498u}};
  for (const kernels::KernelTable* kernels : kernels::available_kernels()) {
    if (const auto found = known.find(kernels->isa); found != known.end()) {
      EXPECT_EQ(layout_of(*kernels), found->second)
          << kernels->isa << ", layout " << nn::kPackedLayout;
    }
  }
}

}  // namespace
}  // namespace lamina

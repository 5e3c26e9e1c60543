#include "kernels/dispatch.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace lamina::kernels {
namespace {

TEST(Dispatch, the_isa_of_the_environment_is_available) {
  if (const char* isa = std::getenv("LAMINA_ISA")) {
    EXPECT_NE(find_kernels(isa), nullptr)
        << "LAMINA_ISA=" << isa << ", available: " << available_isas();
  }
}

TEST(Dispatch, lists_the_tables_fastest_first_and_the_reference_last) {
  const std::vector<std::string> order = {"avx512", "avx2", "sse2", "neon", "reference"};
  std::size_t at = 0;
  for (const KernelTable* table : available_kernels()) {
    while (at < order.size() && order[at] != table->isa) {
      ++at;
    }
    EXPECT_LT(at, order.size()) << table->isa << " is out of order in " << available_isas();
  }
  EXPECT_STREQ(available_kernels().back()->isa, "reference");
}

TEST(Dispatch, the_architectures_baseline_is_always_there) {
#if defined(__x86_64__)
  EXPECT_NE(find_kernels("sse2"), nullptr);
#elif defined(__aarch64__)
  EXPECT_NE(find_kernels("neon"), nullptr);
#endif
  EXPECT_NE(find_kernels("reference"), nullptr);
}

TEST(Dispatch, finds_by_the_whole_name_only) {
  EXPECT_STREQ(find_kernels("reference")->isa, "reference");
  EXPECT_EQ(find_kernels("ref"), nullptr);
  EXPECT_EQ(find_kernels("REFERENCE"), nullptr);
  EXPECT_EQ(find_kernels(""), nullptr);
}

TEST(Dispatch, names_what_is_available) {
  std::string names;
  for (const KernelTable* table : available_kernels()) {
    names += std::string(names.empty() ? "" : ", ") + table->isa;
  }
  EXPECT_EQ(available_isas(), names);
}

TEST(Dispatch, vectors_are_as_wide_as_the_registers) {
  const std::vector<std::pair<const char*, std::size_t>> widths = {
      {"avx512", 16}, {"avx2", 8}, {"sse2", 4}, {"neon", 4}, {"reference", 1}};
  for (const auto& [isa, lanes] : widths) {
    if (const KernelTable* table = find_kernels(isa)) {
      EXPECT_EQ(table->lanes, lanes) << isa;
    }
  }
}

}  // namespace
}  // namespace lamina::kernels

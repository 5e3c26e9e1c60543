#include "kernels/dispatch.h"

#include <string>
#include <vector>

#include "kernels/tables.h"

namespace lamina::kernels {
namespace {

// The compiler's CPU check also asks the operating system, which must save the wide registers.
std::vector<const KernelTable*> detect() {
  std::vector<const KernelTable*> found;
#ifdef LAMINA_HAVE_avx512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("fma")) {
    found.push_back(&avx512::kTable);
  }
#endif
#ifdef LAMINA_HAVE_avx2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.push_back(&avx2::kTable);
  }
#endif
#ifdef LAMINA_HAVE_sse2
  found.push_back(&sse2::kTable);
#endif
#ifdef LAMINA_HAVE_neon
  found.push_back(&neon::kTable);
#endif
  found.push_back(&reference::kTable);
  return found;
}

}  // namespace

std::span<const KernelTable* const> available_kernels() {
  static const std::vector<const KernelTable*> kAvailable = detect();
  return kAvailable;
}

const KernelTable* find_kernels(std::string_view isa) {
  for (const KernelTable* table : available_kernels()) {
    if (isa == table->isa) {
      return table;
    }
  }
  return nullptr;
}

std::string available_isas() {
  std::string names;
  for (const KernelTable* table : available_kernels()) {
    names += names.empty() ? "" : ", ";
    names += table->isa;
  }
  return names;
}

}  // namespace lamina::kernels

#include "nn/isa.h"

#include <atomic>
#include <cstdlib>

#include "core/error.h"
#include "kernels/dispatch.h"
#include "nn/kernels.h"

namespace lamina::nn {
namespace {

std::atomic<const kernels::KernelTable*> chosen{nullptr};

const kernels::KernelTable& find(std::string_view source, std::string_view name) {
  const kernels::KernelTable* table = kernels::find_kernels(name);
  check(table != nullptr, source, ": must be one of the instruction sets this CPU can run: got '",
        name, "', available: ", kernels::available_isas());
  return *table;
}

const kernels::KernelTable& initial_kernels() {
  const char* variable = std::getenv("LAMINA_ISA");
  return variable == nullptr || *variable == '\0' ? *kernels::available_kernels().front()
                                                  : find("LAMINA_ISA", variable);
}

}  // namespace

const kernels::KernelTable& active_kernels() {
  if (const auto* table = chosen.load(std::memory_order_relaxed)) {
    return *table;
  }
  static const kernels::KernelTable& initial = initial_kernels();
  return initial;
}

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const kernels::KernelTable* table : kernels::available_kernels()) {
    names.emplace_back(table->isa);
  }
  return names;
}

std::string isa() { return active_kernels().isa; }

void set_isa(std::string_view name) { chosen.store(&find("isa", name), std::memory_order_relaxed); }

}  // namespace lamina::nn

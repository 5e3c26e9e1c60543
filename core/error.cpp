#include "core/error.h"

#include <sstream>

namespace lamina::detail {

void print_characters(std::ostream& out, const void* value) {
  out << static_cast<const char*>(value);
}

void print_manipulator(std::ostream& out, const void* value) {
  auto* const function = const_cast<void*>(value);
  out << reinterpret_cast<std::ios_base& (*)(std::ios_base&)>(function);
}

std::string join(std::span<const Part> parts) {
  std::ostringstream out;
  for (const Part& part : parts) {
    part.print(out, part.value);
  }
  return out.str();
}

void fail(std::span<const Part> parts) { throw Error(join(parts)); }

}  // namespace lamina::detail

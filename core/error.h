#pragma once

#include <memory>
#include <ostream>
#include <span>
#include <stdexcept>
#include <string>

namespace lamina {

/// What every failing call of this library throws, before any work is done. The message is one
/// sentence, "op: rule: first thing with its number, second thing with its own".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

// A value to print, its type forgotten: messages are many, the types in them few, and code for each
// combination would be a tenth of the library.
struct Part {
  const void* value;
  void (*print)(std::ostream& out, const void* value);
};

template <class Value>
void print(std::ostream& out, const void* value) {
  out << *static_cast<const Value*>(value);
}
void print_characters(std::ostream& out, const void* value);

template <class Value>
Part part(const Value& value) {
  return {std::addressof(value), print<Value>};
}
template <std::size_t kSize>
Part part(const char (&literal)[kSize]) {
  return {literal, print_characters};
}

// std::fixed and its like.
void print_manipulator(std::ostream& out, const void* value);
inline Part part(std::ios_base& (&manipulator)(std::ios_base&)) {
  return {reinterpret_cast<const void*>(&manipulator), print_manipulator};
}

std::string join(std::span<const Part> parts);
[[noreturn]] void fail(std::span<const Part> parts);

}  // namespace detail

/// The parts as an output stream prints them, joined: `text("input ", shape, " has rank ", 3)`.
template <class... Parts>
std::string text(const Parts&... parts) {
  const detail::Part list[] = {detail::part(parts)...};
  return detail::join(list);
}

/// Throws Error(text(parts...)) unless `condition` holds. The message is only built on failure.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    const detail::Part list[] = {detail::part(parts)...};
    detail::fail(list);
  }
}

}  // namespace lamina

#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace lamina {

/// What every failing call of this library throws, before any work is done. The message is one
/// sentence, "op: rule: first thing with its number, second thing with its own".
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The parts as an output stream prints them, joined: `text("input ", shape, " has rank ", 3)`.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// Throws Error(text(parts...)) unless `condition` holds. The message is only built on failure.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]] {
    throw Error(text(parts...));
  }
}

}  // namespace lamina

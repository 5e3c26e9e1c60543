#include "tests/fuzz/target.h"

#include <algorithm>

#include "tests/fuzz/heap.h"

namespace lamina::fuzz {
namespace {

constexpr std::size_t kLongestMessage = 8192;

std::string& refusal() {
  static std::string message;
  return message;
}

bool acts_on_terminal(char c) {
  const auto code = static_cast<unsigned char>(c);
  return (code < 0x20 && c != '\n') || code == 0x7f;
}

}  // namespace

int attempt(std::size_t most_bytes, const std::function<void()>& parse) {
  refusal().clear();
  refusal().shrink_to_fit();
  const HeapMeter meter;
  try {
    parse();
  } catch (const Error& error) {
    refusal() = error.what();
  }
  const std::size_t peak = meter.peak();
  promise(peak <= most_bytes, "held ", peak, " bytes, at most ", most_bytes, " are justified");
  const std::string& message = refusal();
  promise(message.size() <= kLongestMessage, "a message of ", message.size(), " characters");
  promise(std::ranges::none_of(message, acts_on_terminal),
          "a message with control characters: ", message);
  return 0;
}

const std::string& last_refusal() { return refusal(); }

}  // namespace lamina::fuzz

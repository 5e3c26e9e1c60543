#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include "core/error.h"

/// A fuzzer is a file with LLVMFuzzerTestOneInput, run by libFuzzer in a build with -Dfuzz=true and
/// by `fuzz_regressions` in every build.
namespace lamina::fuzz {

using Input = std::span<const std::uint8_t>;

/// Is not an Error: ends a fuzzer, fails a test.
class BrokenPromise : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// Throws BrokenPromise unless `kept`.
template <class... Parts>
void promise(bool kept, const Parts&... parts) {
  if (!kept) {
    throw BrokenPromise(text(parts...));
  }
}

/// Runs `parse`, which may throw Error. Throws BrokenPromise when it held more than `most_bytes` of
/// memory at one time, or its Error's message is longer than 8 KiB or holds characters that a
/// terminal acts on. Always 0.
int attempt(std::size_t most_bytes, const std::function<void()>& parse);

/// The message of the last attempt's Error; empty when there was none.
const std::string& last_refusal();

}  // namespace lamina::fuzz

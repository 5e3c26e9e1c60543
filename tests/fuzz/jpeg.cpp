#include "tests/fuzz/picture.h"

// The picture twice, as stored and upright, and a progressive one's coefficients: 16 bits of up to
// four components, each in whole blocks.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return lamina::fuzz::decode({data, size}, 2 * 3 + 4 * 2 * 8);
}

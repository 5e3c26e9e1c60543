#include <algorithm>
#include <vector>
#include <zlib.h>

#include "tests/fuzz/picture.h"

namespace lamina::fuzz {
namespace {

constexpr std::size_t kSignature = 8;
constexpr std::size_t kAroundChunk = 12;  // its length, type and checksum

std::uint32_t number_at(const std::vector<std::uint8_t>& bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8 | bytes[at + i];
  }
  return number;
}

// Else no change of a byte would get past the checksums.
std::vector<std::uint8_t> with_right_checksums(Input file) {
  std::vector<std::uint8_t> bytes(file.begin(), file.end());
  std::size_t at = kSignature;
  while (bytes.size() >= kAroundChunk && at <= bytes.size() - kAroundChunk) {
    const std::size_t room = bytes.size() - kAroundChunk - at;
    const std::size_t length = std::min<std::size_t>(number_at(bytes, at), room);
    const auto sum = static_cast<std::uint32_t>(
        crc32(0, bytes.data() + at + 4, static_cast<unsigned>(length + 4)));
    at += length + kAroundChunk;
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at - 4 + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    }
  }
  return bytes;
}

}  // namespace
}  // namespace lamina::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lamina::fuzz;
  constexpr std::size_t kBytesPerPixel = 4 + 3;  // RGBA, then RGB
  const Input input(data, size);
  decode(input, kBytesPerPixel);
  return last_refusal().empty() ? 0 : decode(with_right_checksums(input), kBytesPerPixel);
}

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lamina {

/// XXH3 (64 bits, seed 0) of the bytes: tells accidents, at the speed of memory; not a forger's
/// work.
std::uint64_t checksum(std::span<const std::byte> bytes);

}  // namespace lamina

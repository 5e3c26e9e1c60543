#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace lamina {

/// Random numbers with the same stream of bits on every platform: Philox4x32-10, a counter-based
/// generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). Its whole state
/// is (seed, stream, position), so any point of any stream can be reached at once, and streams of
/// one seed are independent: give every thread, image or layer its own.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  /// 32 random bits.
  std::uint32_t bits();

  /// Uniform in [0, 1), a multiple of 2^-24.
  float uniform();

  /// Uniform in [lo, hi).
  float uniform(float lo, float hi);

  /// Uniform in {0, ..., count - 1}, without bias. count > 0.
  std::size_t below(std::size_t count);

  /// Normal with mean 0 and standard deviation 1 (Marsaglia's polar method).
  float normal();

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }

  /// 32-bit words drawn so far; seek() continues from any such number.
  std::uint64_t position() const { return position_; }
  void seek(std::uint64_t position) { position_ = position; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::uint64_t block_index_ = ~std::uint64_t{0};
  std::array<std::uint32_t, 4> block_{};
};

}  // namespace lamina

#include "core/random.h"

#include <cassert>
#include <cmath>

namespace lamina {
namespace {

using Block = std::array<std::uint32_t, 4>;

std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }
std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }

Block philox(Block counter, std::uint64_t seed) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85;
  std::uint32_t key0 = low(seed);
  std::uint32_t key1 = high(seed);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high(product1) ^ counter[1] ^ key0, low(product1),
               high(product0) ^ counter[3] ^ key1, low(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

// The natural logarithm of 0 < x < 1 from correctly rounded operations only, so that it has the
// same bits everywhere, as libm's has not: x = m 2^e, ln m = 2 artanh((m - 1) / (m + 1)).
double portable_log(double x) {
  constexpr double kLn2 = 0.6931471805599453;
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);
  const double t = (mantissa - 1.0) / (mantissa + 1.0);
  const double t2 = t * t;
  double sum = 0.0;
  for (int k = 33; k >= 1; k -= 2) {
    sum = sum * t2 + 1.0 / k;
  }
  return 2.0 * t * sum + exponent * kLn2;
}

}  // namespace

std::uint32_t Rng::bits() {
  const std::uint64_t index = position_ / 4;
  if (index != block_index_) {
    block_ = philox({low(index), high(index), low(stream_), high(stream_)}, seed_);
    block_index_ = index;
  }
  return block_[position_++ % 4];
}

float Rng::uniform() { return static_cast<float>(bits() >> 8) * 0x1p-24f; }

float Rng::uniform(float lo, float hi) {
  const float value = lo + (hi - lo) * uniform();
  return value < hi ? value : lo;
}

std::size_t Rng::below(std::size_t count) {
  assert(count > 0);
  const std::uint64_t range = count;
  const std::uint64_t rejected = (0 - range) % range;
  for (;;) {
    const std::uint64_t upper = bits();
    const std::uint64_t draw = upper << 32 | bits();
    if (draw >= rejected) {
      return static_cast<std::size_t>(draw % range);
    }
  }
}

float Rng::normal() {
  for (;;) {
    const double x = 2.0 * static_cast<double>(uniform()) - 1.0;
    const double y = 2.0 * static_cast<double>(uniform()) - 1.0;
    const double r2 = x * x + y * y;
    if (r2 > 0.0 && r2 < 1.0) {
      return static_cast<float>(x * std::sqrt(-2.0 * portable_log(r2) / r2));
    }
  }
}

}  // namespace lamina

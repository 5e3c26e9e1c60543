#include "core/random.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <vector>

namespace lamina {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Philox4x32-10 once more, as the paper's section 3.3 has it: the oracle of every other position.
Words philox(Words x, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t left = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t right = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(right >> 32) ^ x[1] ^ key[0],
         static_cast<std::uint32_t>(right & 0xFFFFFFFF),
         static_cast<std::uint32_t>(left >> 32) ^ x[3] ^ key[1],
         static_cast<std::uint32_t>(left & 0xFFFFFFFF)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return x;
}

std::uint32_t expected_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t position) {
  const std::uint64_t block = position / 4;
  const auto words = [](std::uint64_t x) {
    return std::array{static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(x >> 32)};
  };
  const auto counter = words(block);
  const auto upper = words(stream);
  return philox({counter[0], counter[1], upper[0], upper[1]}, words(seed))[position % 4];
}

// Random123's published vectors.
TEST(Random, OracleMeetsThePublishedVectors) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, MeetsThePublishedVectorOfZero) {
  Rng rng(0);
  for (const std::uint32_t word : {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}) {
    EXPECT_EQ(rng.bits(), word);
  }
}

TEST(Random, MeetsTheOracleAnywhere) {
  const std::uint64_t far = std::uint64_t{0x299f31d0a4093822};
  for (const std::uint64_t seed : {std::uint64_t{0}, std::uint64_t{42}, far, ~std::uint64_t{0}}) {
    for (const std::uint64_t stream : {std::uint64_t{0}, std::uint64_t{1}, ~far}) {
      for (const std::uint64_t position : {std::uint64_t{0}, std::uint64_t{5}, far, ~far - 2}) {
        Rng rng(seed, stream);
        rng.seek(position);
        for (std::uint64_t i = 0; i < 9; ++i) {
          ASSERT_EQ(rng.bits(), expected_bits(seed, stream, position + i))
              << seed << ' ' << stream << ' ' << position + i;
        }
      }
    }
  }
}

TEST(Random, SeekingInAnyOrderGivesTheSameStream) {
  Rng forward(7, 3);
  std::vector<std::uint32_t> words(1000);
  std::ranges::generate(words, [&] { return forward.bits(); });
  EXPECT_EQ(forward.position(), 1000u);
  EXPECT_EQ(forward.seed(), 7u);
  EXPECT_EQ(forward.stream(), 3u);
  Rng jumping(7, 3);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::size_t position = (i * 617 + 999) % words.size();
    jumping.seek(position);
    ASSERT_EQ(jumping.bits(), words[position]) << position;
    ASSERT_EQ(jumping.position(), position + 1);
  }
}

TEST(Random, ACopyContinuesOnItsOwn) {
  Rng rng(1);
  rng.bits();
  Rng copy = rng;
  const std::uint32_t next = rng.bits();
  rng.bits();
  EXPECT_EQ(copy.bits(), next);
}

TEST(Random, StreamsAndSeedsDiffer) {
  Rng base(1, 0), other_stream(1, 1), other_seed(2, 0);
  std::size_t same = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::uint32_t word = base.bits();
    same += word == other_stream.bits();
    same += word == other_seed.bits();
  }
  EXPECT_EQ(same, 0u);
}

TEST(Random, UniformStaysBelowOneAndHasItsMoments) {
  Rng rng(11);
  constexpr int kDraws = 200000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(rng.uniform());
    ASSERT_GE(x, 0.0);
    ASSERT_LT(x, 1.0);
    ASSERT_EQ(x * 0x1p24, std::floor(x * 0x1p24));
    sum += x;
    squares += x * x;
  }
  // Five standard deviations of the mean of 200,000 draws.
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * 0.2887 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 5 * 0.2981 / std::sqrt(kDraws));
}

TEST(Random, UniformFillsItsBins) {
  Rng rng(12);
  constexpr std::size_t kBins = 256;
  constexpr double kPerBin = 400.0;
  std::vector<double> bins(kBins);
  for (std::size_t i = 0; i < kBins * 400; ++i) {
    bins[static_cast<std::size_t>(rng.uniform() * kBins)] += 1.0;
  }
  double chi2 = 0.0;
  for (const double count : bins) {
    chi2 += (count - kPerBin) * (count - kPerBin) / kPerBin;
  }
  // 255 degrees of freedom: mean 255, standard deviation 22.6. Too even is as bad as too uneven.
  EXPECT_GT(chi2, 255 - 5 * 22.6);
  EXPECT_LT(chi2, 255 + 5 * 22.6);
}

TEST(Random, UniformOverARangeNeverReachesItsEnd) {
  Rng rng(13);
  const float lo = 1.0f;
  const float hi = std::nextafter(std::nextafter(lo, 2.0f), 2.0f);
  for (int i = 0; i < 1000; ++i) {
    const float x = rng.uniform(lo, hi);
    ASSERT_GE(x, lo);
    ASSERT_LT(x, hi);
  }
  float least = 1.0f, most = -1.0f;
  for (int i = 0; i < 10000; ++i) {
    const float x = rng.uniform(-0.25f, 0.75f);
    least = std::min(least, x);
    most = std::max(most, x);
  }
  EXPECT_GE(least, -0.25f);
  EXPECT_LT(least, -0.249f);
  EXPECT_LT(most, 0.75f);
  EXPECT_GT(most, 0.749f);
}

TEST(Random, BelowIsInRangeAndEven) {
  Rng rng(14);
  EXPECT_EQ(rng.below(1), 0u);
  for (const std::size_t count : {2u, 3u, 10u, 1000u}) {
    std::vector<double> seen(count);
    for (std::size_t i = 0; i < count * 500; ++i) {
      const std::size_t value = rng.below(count);
      ASSERT_LT(value, count);
      seen[value] += 1.0;
    }
    double chi2 = 0.0;
    for (const double times : seen) {
      chi2 += (times - 500.0) * (times - 500.0) / 500.0;
    }
    const double freedom = static_cast<double>(count) - 1.0;
    EXPECT_LT(chi2, freedom + 5 * std::sqrt(2 * freedom) + 10) << count;
  }
}

// A range of 3/4 of 2^64: a plain remainder would give its first third twice as often as the rest.
TEST(Random, BelowHasNoBiasInAHugeRange) {
  Rng rng(15);
  constexpr std::size_t kRange = std::size_t{3} << 62;
  constexpr int kDraws = 30000;
  int first_third = 0;
  for (int i = 0; i < kDraws; ++i) {
    first_third += rng.below(kRange) < kRange / 3;
  }
  EXPECT_NEAR(first_third / double{kDraws}, 1.0 / 3.0, 5 * 0.4714 / std::sqrt(kDraws));
}

TEST(Random, BelowOfEverythingIsTheBitsThemselves) {
  Rng rng(16), words(16);
  constexpr std::size_t kAllButOne = std::numeric_limits<std::size_t>::max();
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t upper = words.bits();
    ASSERT_EQ(rng.below(kAllButOne), (upper << 32 | words.bits()) % kAllButOne);
  }
}

TEST(Random, NormalHasItsMoments) {
  Rng rng(17);
  constexpr int kDraws = 200000;
  std::array<double, 5> moment{};
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(rng.normal());
    ASSERT_TRUE(std::isfinite(x));
    double power = 1.0;
    for (double& sum : moment) {
      sum += power / kDraws;
      power *= x;
    }
    beyond_two += std::abs(x) > 2.0;
  }
  // Variances of x, x^2, x^3, x^4 under N(0, 1): 1, 2, 15, 96.
  const double root = std::sqrt(kDraws);
  EXPECT_NEAR(moment[1], 0.0, 5 * 1.0 / root);
  EXPECT_NEAR(moment[2], 1.0, 5 * std::sqrt(2.0) / root);
  EXPECT_NEAR(moment[3], 0.0, 5 * std::sqrt(15.0) / root);
  EXPECT_NEAR(moment[4], 3.0, 5 * std::sqrt(96.0) / root);
  EXPECT_NEAR(beyond_two / double{kDraws}, std::erfc(std::sqrt(2.0)), 5 * 0.2084 / root);
}

// The polar method from the same draws with libm's logarithm.
TEST(Random, NormalFollowsThePolarMethod) {
  Rng rng(18), draws(18);
  for (int i = 0; i < 1000; ++i) {
    double x = 0.0, r2 = 0.0;
    do {
      x = 2.0 * static_cast<double>(draws.uniform()) - 1.0;
      const double y = 2.0 * static_cast<double>(draws.uniform()) - 1.0;
      r2 = x * x + y * y;
    } while (r2 <= 0.0 || r2 >= 1.0);
    const double expected = x * std::sqrt(-2.0 * std::log(r2) / r2);
    ASSERT_NEAR(static_cast<double>(rng.normal()), expected, 1e-7 * (1.0 + std::abs(expected)));
    ASSERT_EQ(rng.position(), draws.position());
  }
}

}  // namespace
}  // namespace lamina

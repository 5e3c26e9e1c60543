#include <cmath>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

namespace lamina::test {
namespace {

const KernelTable& reference() { return *kernels::find_kernels("reference"); }

Array softmax(const KernelTable& table, const Array& x, std::size_t offset) {
  Array y({.rows = x.rows(), .cols = x.cols(), .offset = offset});
  table.softmax({x.rows(), x.cols(), x.data(), y.data()});
  return y;
}

// The argument of exp is rounded: an error of eps / 2 times its size, here at most 2 scale. Then
// a few roundings of exp, the sum and the quotient. All relative, of results up to 1.
void run(const KernelTable& table, std::size_t n, float scale, std::size_t offset) {
  Random random;
  const Array x({.rows = 3, .cols = n, .offset = offset}, random, scale);
  const Array want = softmax(reference(), x, 0);
  const Array got = softmax(table, x, offset);
  got.expect_canaries();
  const double relative = kEpsilon * (double{scale} + 8);
  for (std::size_t i = 0; i < x.rows(); ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < n; ++j) {
      const double expected = double{want.at(i, j)};
      // The smallest normal float: below it results may become zero.
      ASSERT_NEAR(double{got.at(i, j)}, expected, expected * relative + 1.2e-38) << i << ", " << j;
      sum += double{got.at(i, j)};
    }
    EXPECT_NEAR(sum, 1.0, relative);
  }
  Array in_place({.rows = 3, .cols = n, .offset = offset});
  in_place.copy_from(x);
  table.softmax({3, n, in_place.data(), in_place.data()});
  expect_same_bits(in_place, got);
  Array row({.rows = 3, .cols = n, .offset = offset});
  for (std::size_t i = 0; i < 3; ++i) {
    table.softmax({1, n, x.data() + i * n, row.data() + i * n});
  }
  expect_same_bits(row, got);
}

// One special value at every place of the row, in the vectors and in the tail.
void run_special(const KernelTable& table, float value) {
  const std::size_t n = 2 * table.lanes + 3;
  for (std::size_t at = 0; at < n; ++at) {
    Random random;
    Array x({.rows = 3, .cols = n}, random);
    x.at(1, at) = value;
    expect_near(softmax(table, x, 0), softmax(reference(), x, 0), kEpsilon * 8);
  }
}

void run_nan(const KernelTable& table) {
  const std::size_t n = 2 * table.lanes + 3;
  for (std::size_t at = 0; at < n; ++at) {
    Random random;
    Array x({.rows = 3, .cols = n}, random);
    x.at(1, at) = kNan;
    const Array y = softmax(table, x, 0);
    for (std::size_t j = 0; j < n; ++j) {
      ASSERT_FALSE(std::isnan(y.at(0, j)));
      ASSERT_TRUE(std::isnan(y.at(1, j))) << "NaN at " << at << ", not at " << j;
      ASSERT_FALSE(std::isnan(y.at(2, j)));
    }
  }
}

void run_one_value(const KernelTable& table, float value) {
  Array x({.rows = 1, .cols = 37});
  for (std::size_t j = 0; j < x.cols(); ++j) {
    x.at(0, j) = value;
  }
  expect_near(softmax(table, x, 0), softmax(reference(), x, 0), kEpsilon / 16);
}

}  // namespace

void add_softmax_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t n : {std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes, 4 * lanes + 3,
                              std::size_t{53}, std::size_t{1000}, std::size_t{1001}}) {
    for (const int scale : {1, 12, 200}) {
      for (const std::size_t offset : {0u, 1u, 3u}) {
        if (n > 0) {
          const std::string name = join("n", n, "_scale", scale, suffix("_offset", offset));
          add_case_in_both_places("softmax", table, name, [&table, n, scale, offset] {
            run(table, n, static_cast<float>(scale), offset);
          });
        }
      }
    }
  }
  add_case("softmax", table, "nan", [&table] { run_nan(table); });
  add_case("softmax", table, "infinity", [&table] { run_special(table, kInfinity); });
  add_case("softmax", table, "minus_infinity", [&table] { run_special(table, -kInfinity); });
  add_case("softmax", table, "all_minus_infinity", [&table] { run_one_value(table, -kInfinity); });
  add_case("softmax", table, "all_1e38", [&table] { run_one_value(table, 1e38f); });
}

}  // namespace lamina::test

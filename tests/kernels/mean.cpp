#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

namespace lamina::test {
namespace {

struct MeanCase {
  std::size_t rows, channels, gap = 0, offset = 0;

  std::string name() const {
    return join("r", rows, "c", channels, suffix("_gap", gap), suffix("_offset", offset));
  }
};

// `part` channels a call.
Array mean(const KernelTable& table, const MeanCase& c, std::size_t part) {
  Random random;
  const Array x({c.rows, c.channels, c.gap, c.offset}, random, 6.0f);
  Array y({.cols = c.channels, .offset = c.offset});
  for (std::size_t i = 0; i < c.channels; i += part) {
    const std::size_t channels = i + part < c.channels ? part : c.channels - i;
    table.mean_rows({c.rows, channels, x.data() + i, x.ld(), y.data() + i});
  }
  return y;
}

void add(const KernelTable& table, const MeanCase& c) {
  add_case_in_both_places("mean_rows", table, c.name(), [&table, c] {
    const Array got = mean(table, c, c.channels);
    // A quarter of the rows in each of four sums, and the mean of values up to 6.
    const double tolerance = kEpsilon * (static_cast<double>(c.rows) / 4 + 4) * 6;
    expect_near(got, mean(*kernels::find_kernels("reference"), c, c.channels), tolerance);
    for (const std::size_t part : {1u, 3u, 16u}) {
      expect_same_bits(mean(table, c, part), got);
    }
  });
}

}  // namespace

void add_mean_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t channels :
       {std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes + 3, std::size_t{53}}) {
    for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 49u, 97u}) {
      add(table, {rows, channels});
    }
    for (const std::size_t offset : {1u, 3u}) {
      add(table, {.rows = 6, .channels = channels, .gap = 5, .offset = offset});
    }
  }
  add(table, {.rows = 49, .channels = 1280});
}

}  // namespace lamina::test

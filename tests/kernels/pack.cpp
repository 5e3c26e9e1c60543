#include <algorithm>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

namespace lamina::test {
namespace {

struct PackCase {
  std::size_t n, k, panel;
  enum class Order { weights, matrix } order;  // [n, k] or [k, n]

  std::string name() const {
    return join("n", n, "k", k, "_panel", panel, order == Order::weights ? "_nk" : "_kn");
  }
};

// Where column j of row p lies, by the manual: panel after panel, each [k][width].
std::size_t place(const PackCase& c, std::size_t lanes, std::size_t p, std::size_t j) {
  const std::size_t whole = c.panel * lanes;
  const std::size_t first = j / whole * whole;
  const std::size_t left = (c.n - first + lanes - 1) / lanes * lanes;
  return first * c.k + p * std::min(whole, left) + (j - first);
}

void run(const KernelTable& table, const PackCase& c) {
  Random random;
  const bool weights = c.order == PackCase::Order::weights;
  const Array b({.rows = weights ? c.n : c.k, .cols = weights ? c.k : c.n, .gap = 3}, random);
  const std::size_t columns = (c.n + table.lanes - 1) / table.lanes * table.lanes;
  ASSERT_EQ(table.packed_size(c.n, c.k), columns * c.k);
  Array got({.cols = columns * c.k, .start = Array::Start::aligned});
  table.pack({.n = c.n,
              .k = c.k,
              .panel = c.panel,
              .b = b.data(),
              .stride_n = weights ? b.ld() : 1,
              .stride_k = weights ? 1 : b.ld(),
              .packed = got.data()});
  Array want({.cols = columns * c.k});
  std::fill_n(want.data(), want.cols(), 0.0f);
  for (std::size_t p = 0; p < c.k; ++p) {
    for (std::size_t j = 0; j < c.n; ++j) {
      want.at(0, place(c, table.lanes, p, j)) = weights ? b.at(j, p) : b.at(p, j);
    }
  }
  expect_same_bits(got, want);
}

}  // namespace

void add_pack_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (std::size_t panel = 1; panel <= table.max_panel; ++panel) {
    for (const std::size_t n : {std::size_t{1}, lanes, lanes + 1, 5 * lanes - 1, std::size_t{53}}) {
      for (const auto order : {PackCase::Order::weights, PackCase::Order::matrix}) {
        const PackCase c = {n, 7, panel, order};
        add_case_in_both_places("pack", table, c.name(), [&table, c] { run(table, c); });
      }
    }
  }
  add_case("pack", table, "best_panel", [&table] {
    for (std::size_t n = 1; n <= 2000; ++n) {
      ASSERT_GE(table.best_panel(n), 1u) << n;
      ASSERT_LE(table.best_panel(n), table.max_panel) << n;
    }
  });
}

}  // namespace lamina::test

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/network.h"

namespace lamina::test {
namespace {

struct GemmTnCase {
  std::size_t m, n, k;
  std::size_t gap = 0, offset = 0;

  std::string name() const {
    return join("m", m, "n", n, "k", k, suffix("_gap", gap), suffix("_offset", offset));
  }
};

struct Operands {
  GemmTnCase shape;
  Random random;
  Array a, b, c;

  explicit Operands(const GemmTnCase& s)
      : shape(s),
        a({s.k, s.m, s.gap, s.offset}, random, 3.0f),
        b({s.k, s.n, s.gap == 0 ? 0 : s.gap + 2, s.offset}, random),
        c({s.m, s.n, s.gap, s.offset}, random, 5.0f) {}

  kernels::GemmTnArgs args(Array& to) const {
    return {.m = shape.m,
            .n = shape.n,
            .k = shape.k,
            .a = a.data(),
            .lda = a.ld(),
            .b = b.data(),
            .ldb = b.ld(),
            .c = to.data(),
            .ldc = to.ld()};
  }

  Array output() const {
    Array to({shape.m, shape.n, shape.gap, shape.offset});
    to.copy_from(c);
    return to;
  }

  Array multiply(const KernelTable& table) const {
    Array to = output();
    table.gradients.gemm_tn(args(to));
    return to;
  }

  double tolerance() const {
    const double terms = static_cast<double>(shape.k + 1);
    return 2 * kEpsilon * (terms * a.max_abs() * b.max_abs() + c.max_abs());
  }
};

const KernelTable& reference() { return *kernels::find_kernels("reference"); }

void run(const KernelTable& table, const GemmTnCase& shape) {
  const Operands operands(shape);
  expect_near(operands.multiply(table), operands.multiply(reference()), operands.tolerance());
}

// C in blocks of `rows` x `columns`: the bits of one call.
void run_in_parts(const KernelTable& table, const GemmTnCase& shape, std::size_t rows,
                  std::size_t columns) {
  const Operands operands(shape);
  Array c = operands.output();
  for (std::size_t i = 0; i < shape.m; i += rows) {
    for (std::size_t j = 0; j < shape.n; j += columns) {
      kernels::GemmTnArgs part = operands.args(c);
      part.m = std::min(rows, shape.m - i);
      part.n = std::min(columns, shape.n - j);
      part.a += i;
      part.b += j;
      part.c += i * part.ldc + j;
      table.gradients.gemm_tn(part);
    }
  }
  expect_same_bits(c, operands.multiply(table));
}

double dot(const Array& a, const Array& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.rows(); ++i) {
    for (std::size_t j = 0; j < a.cols(); ++j) {
      sum += double{a.at(i, j)} * double{b.at(i, j)};
    }
  }
  return sum;
}

// A D by the forward product.
Array forward(const KernelTable& table, const Array& a, const Array& d) {
  const std::size_t panel = table.best_panel(d.cols());
  Array packed({.cols = table.packed_size(d.cols(), d.rows()), .start = Array::Start::aligned});
  table.pack({.n = d.cols(),
              .k = d.rows(),
              .panel = panel,
              .b = d.data(),
              .stride_n = 1,
              .stride_k = d.ld(),
              .packed = packed.data()});
  Array product({.rows = a.rows(), .cols = d.cols()});
  table.gemm({.m = a.rows(),
              .n = d.cols(),
              .k = d.rows(),
              .panel = panel,
              .a = a.data(),
              .lda = a.ld(),
              .packed = packed.data(),
              .bias = nullptr,
              .residual = nullptr,
              .ld_residual = 0,
              .c = product.data(),
              .ldc = product.ld(),
              .lo = -kInfinity,
              .hi = kInfinity});
  return product;
}

// <A D, B> = <D, A^T B>.
void run_adjoint(const KernelTable& table, const GemmTnCase& shape) {
  Operands operands(shape);
  Array product({.rows = shape.m, .cols = shape.n});
  std::fill_n(product.data(), shape.m * shape.n, 0.0f);
  table.gradients.gemm_tn(operands.args(product));
  const double left = dot(forward(table, operands.a, operands.c), operands.b);
  const double right = dot(operands.c, product);
  const double terms = static_cast<double>(shape.m * shape.n * shape.k);
  const double largest = operands.a.max_abs() * operands.b.max_abs() * operands.c.max_abs();
  // Rounding errors of either side are independent: their sum grows as the root.
  EXPECT_NEAR(left, right, 4 * kEpsilon * std::sqrt(terms) * largest * 16);
  EXPECT_GT(std::fabs(left), 0.0);
}

// A NaN in column 1 of A stays in row 1 of C.
void run_nan(const KernelTable& table) {
  Operands operands({.m = 3, .n = 2 * table.lanes + 1, .k = 5});
  operands.a.at(4, 1) = kNan;
  operands.a.at(0, 2) = kInfinity;
  const Array got = operands.multiply(table);
  expect_near(got, operands.multiply(reference()), operands.tolerance());
  for (std::size_t j = 0; j < got.cols(); ++j) {
    EXPECT_TRUE(got.at(0, j) == got.at(0, j)) << j;
    EXPECT_FALSE(got.at(1, j) == got.at(1, j)) << j;
  }
}

void add(const KernelTable& table, const GemmTnCase& shape) {
  add_case_in_both_places("gemm_tn", table, shape.name(), [&table, shape] { run(table, shape); });
}

}  // namespace

void add_gemm_tn_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t n :
       {std::size_t{0}, std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes, 2 * lanes + 3,
        3 * lanes, 3 * lanes + lanes / 2, 4 * lanes, 5 * lanes + 1, 7 * lanes + 5}) {
    for (const std::size_t m : {1u, 3u, 7u, 16u, 37u}) {
      for (const std::size_t k : {1u, 2u, 71u}) {
        add(table, {m, n, k});
      }
    }
  }
  for (std::size_t m = 0; m <= 34; ++m) {
    add(table, {.m = m, .n = 6 * lanes + lanes / 2 + 1, .k = 19});
  }
  add(table, {.m = 5, .n = 2 * lanes + 1, .k = 0});
  for (const std::size_t offset : {0u, 1u, 3u}) {
    for (const std::size_t gap : {0u, 5u}) {
      add(table, {37, 53, 71, gap, offset});
    }
  }
  constexpr std::size_t kParts[][2] = {{1, 1}, {2, 7}, {5, 16}, {11, 24}, {24, 33}, {59, 48}};
  for (const auto& [rows, columns] : kParts) {
    const GemmTnCase shape = {.m = 59, .n = 13 * lanes / 2 + 3, .k = 131, .gap = 3};
    add_case("gemm_tn_in_parts", table, join(shape.name(), "_rows", rows, "_columns", columns),
             [&table, shape, rows = rows, columns = columns] {
               run_in_parts(table, shape, rows, columns);
             });
  }
  for (const GemmTnCase& shape : {GemmTnCase{1, 1, 1}, {13, 17, 5}, {24, 144, 49}, {61, 47, 131}}) {
    add_case("gemm_tn_adjoint", table, shape.name(),
             [&table, shape] { run_adjoint(table, shape); });
  }
  add_case("gemm_tn", table, "keeps_nan", [&table] { run_nan(table); });
  for (const NetworkLayer& layer : layers_under_test()) {
    if (layer.kind == NetworkLayer::Kind::pointwise) {
      const std::size_t pixels = std::min<std::size_t>(layer.size * layer.size, 196);
      const GemmTnCase shape = {layer.out, layer.in, pixels};
      add_case("gemm_tn_network", table, shape.name(), [&table, shape] { run(table, shape); });
    }
  }
  add_case("gemm_tn_network", table, "m1000n1280k4", [&table] { run(table, {1000, 1280, 4}); });
}

}  // namespace lamina::test

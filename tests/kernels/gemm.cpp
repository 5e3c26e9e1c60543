#include <algorithm>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/network.h"

namespace lamina::test {
namespace {

enum class Residual { none, separate, in_place };

struct GemmCase {
  std::size_t m, n, k;
  bool bias = true;
  Residual residual = Residual::none;
  Bounds bounds = {};
  std::size_t gap = 0, offset = 0;

  std::string name() const {
    return join("m", m, "n", n, "k", k, bias ? "" : "_nobias",
                residual == Residual::none       ? ""
                : residual == Residual::separate ? "_residual"
                                                 : "_inplace",
                bounds.lo == 0.0f ? "_relu6" : "", suffix("_gap", gap), suffix("_offset", offset));
  }
};

// The matrices of one case: A [m, k], B as weights [n, k], bias, residual.
struct Operands {
  GemmCase shape;
  Random random;
  Array a, b, bias, residual;

  explicit Operands(const GemmCase& c)
      : shape(c),
        a({c.m, c.k, c.gap, c.offset}, random, 3.0f),
        b({.rows = c.n, .cols = c.k}, random),
        bias({.cols = c.n, .offset = c.offset}, random, 4.0f),
        residual({c.m, c.n, c.gap + 2, c.offset}, random, 5.0f) {}

  Array packed(const KernelTable& table, std::size_t panel) const {
    Array to({.cols = table.packed_size(shape.n, shape.k), .start = Array::Start::aligned});
    table.pack({.n = shape.n,
                .k = shape.k,
                .panel = panel,
                .b = b.data(),
                .stride_n = shape.k,
                .stride_k = 1,
                .packed = to.data()});
    to.expect_canaries();
    return to;
  }

  kernels::GemmArgs args(const Array& to_packed, std::size_t panel, Array& c) const {
    const bool in_place = shape.residual == Residual::in_place;
    const bool separate = shape.residual == Residual::separate;
    return {.m = shape.m,
            .n = shape.n,
            .k = shape.k,
            .panel = panel,
            .a = a.data(),
            .lda = a.ld(),
            .packed = to_packed.data(),
            .bias = shape.bias ? bias.data() : nullptr,
            .residual = in_place   ? c.data()
                        : separate ? residual.data()
                                   : nullptr,
            .ld_residual = in_place   ? c.ld()
                           : separate ? residual.ld()
                                      : 0,
            .c = c.data(),
            .ldc = c.ld(),
            .lo = shape.bounds.lo,
            .hi = shape.bounds.hi};
  }

  Array output() const {
    Array c({shape.m, shape.n, shape.gap, shape.offset});
    if (shape.residual == Residual::in_place) {
      c.copy_from(residual);
    }
    return c;
  }

  Array multiply(const KernelTable& table, std::size_t panel) const {
    const Array to_packed = packed(table, panel);
    Array c = output();
    table.gemm(args(to_packed, panel, c));
    return c;
  }

  double tolerance() const {
    const double terms = static_cast<double>(shape.k + 1);
    return 2 * kEpsilon * terms * (a.max_abs() * b.max_abs() + bias.max_abs()) +
           2 * kEpsilon * residual.max_abs();
  }
};

const KernelTable& reference() { return *kernels::find_kernels("reference"); }

// Every panel width against the reference.
void run(const KernelTable& table, const GemmCase& shape) {
  const Operands operands(shape);
  const Array want = operands.multiply(reference(), 8);
  for (std::size_t panel = 1; panel <= table.max_panel; ++panel) {
    SCOPED_TRACE(join("panel of ", panel));
    expect_near(operands.multiply(table, panel), want, operands.tolerance());
  }
}

// The rows in parts of `rows`, the columns cut behind each panel: the bits of one call.
void run_in_parts(const KernelTable& table, const GemmCase& shape, std::size_t rows) {
  const Operands operands(shape);
  for (std::size_t panel = 1; panel <= table.max_panel; ++panel) {
    SCOPED_TRACE(join("panel of ", panel));
    const Array want = operands.multiply(table, panel);
    const Array to_packed = operands.packed(table, panel);
    Array c = operands.output();
    const std::size_t width = panel * table.lanes;
    for (std::size_t i = 0; i < shape.m; i += rows) {
      for (std::size_t j = 0; j < shape.n; j += width) {
        kernels::GemmArgs part = operands.args(to_packed, panel, c);
        part.m = std::min(rows, shape.m - i);
        part.n = std::min(width, shape.n - j);
        part.a += i * part.lda;
        part.packed += j * shape.k;
        part.bias += j;
        part.residual += i * part.ld_residual + j;
        part.c += i * part.ldc + j;
        table.gemm(part);
      }
    }
    expect_same_bits(c, want);
  }
}

void add(const KernelTable& table, const GemmCase& shape) {
  add_case_in_both_places("gemm", table, shape.name(), [&table, shape] { run(table, shape); });
}

// A NaN or an infinity in row 1 of A stays in row 1 of C, and the bounds keep the NaN.
void run_nan(const KernelTable& table) {
  const GemmCase shape = {.m = 3, .n = 2 * table.lanes + 1, .k = 5, .bounds = kRelu6};
  Operands operands(shape);
  operands.a.at(1, 4) = kNan;
  operands.a.at(2, 0) = kInfinity;
  for (std::size_t panel = 1; panel <= table.max_panel; ++panel) {
    const Array got = operands.multiply(table, panel);
    expect_near(got, operands.multiply(reference(), 8), operands.tolerance());
    for (std::size_t j = 0; j < shape.n; ++j) {
      EXPECT_TRUE(got.at(0, j) == got.at(0, j)) << j;
      EXPECT_FALSE(got.at(1, j) == got.at(1, j)) << j;
    }
  }
}

void add_variants(const KernelTable& table) {
  for (const std::size_t offset : {0u, 1u, 3u}) {
    for (const std::size_t gap : {0u, 5u}) {
      for (const Residual residual : {Residual::none, Residual::separate, Residual::in_place}) {
        for (const bool bias : {true, false}) {
          for (const Bounds& bounds : {Bounds{}, kRelu6}) {
            add(table, {37, 53, 71, bias, residual, bounds, gap, offset});
          }
        }
      }
    }
  }
}

}  // namespace

void add_gemm_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t n :
       {std::size_t{0}, std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes, 2 * lanes + 3,
        3 * lanes, 3 * lanes + lanes / 2, 4 * lanes - 1, 4 * lanes, 4 * lanes + 1, 7 * lanes + 5}) {
    for (const std::size_t m : {1u, 7u, 15u, 37u}) {
      for (const std::size_t k : {1u, 2u, 71u}) {
        add(table, {m, n, k});
      }
    }
  }
  for (std::size_t m = 0; m <= 30; ++m) {
    add(table, {.m = m, .n = 4 * lanes + lanes / 2 + 1, .k = 19, .residual = Residual::separate});
  }
  add(table, {.m = 5, .n = 2 * lanes + 1, .k = 0, .residual = Residual::separate});
  add_variants(table);
  for (const std::size_t rows : {1u, 2u, 5u, 11u, 24u}) {
    const GemmCase shape = {.m = 59,
                            .n = 13 * lanes / 2 + 3,
                            .k = 131,
                            .residual = Residual::in_place,
                            .bounds = kRelu6};
    add_case("gemm_in_parts", table, join(shape.name(), "_rows", rows),
             [&table, shape, rows] { run_in_parts(table, shape, rows); });
  }
  add_case("gemm", table, "keeps_nan", [&table] { run_nan(table); });
  for (const NetworkLayer& layer : layers_under_test()) {
    if (layer.kind == NetworkLayer::Kind::pointwise) {
      const bool linear = layer.out < layer.in;
      add_case("gemm_network", table, GemmCase{layer.size * layer.size, layer.out, layer.in}.name(),
               [&table, layer, linear] {
                 run(table, {.m = layer.size * layer.size,
                             .n = layer.out,
                             .k = layer.in,
                             .residual = linear ? Residual::separate : Residual::none,
                             .bounds = linear ? Bounds{} : kRelu6});
               });
    }
  }
  add_case("gemm_network", table, "m1n1000k1280", [&table] { run(table, {1, 1000, 1280}); });
}

}  // namespace lamina::test

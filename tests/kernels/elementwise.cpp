#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

namespace lamina::test {
namespace {

const KernelTable& reference() { return *kernels::find_kernels("reference"); }

// Numbers, and in front of them what a careless comparison gets wrong.
Array special(const Array::Layout& layout, Random& random) {
  Array x(layout, random, 10.0f);
  const float values[] = {kNan, kInfinity, -kInfinity, -0.0f, 1e-45f, 6.0f, 3e38f};
  for (std::size_t i = 0; i < std::size(values) && 3 * i < x.cols(); ++i) {
    x.at(0, 3 * i) = values[i];
  }
  return x;
}

enum class Output { separate, first_input, second_input };

struct ArrayCase {
  std::size_t count, offset;
  Bounds bounds;
  Output output;

  std::string name() const {
    return join("n", count, bounds.lo == 0.0f ? "_relu6" : "",
                output == Output::separate      ? ""
                : output == Output::first_input ? "_over_first"
                                                : "_over_second",
                suffix("_offset", offset));
  }
};

Array add(const KernelTable& table, const ArrayCase& c) {
  Random random;
  const Array::Layout layout = {.cols = c.count, .offset = c.offset};
  Array a = special(layout, random);
  Array b(layout, random, 10.0f);
  Array y(layout);
  float* to = c.output == Output::separate      ? y.data()
              : c.output == Output::first_input ? a.data()
                                                : b.data();
  table.add({c.count, a.data(), b.data(), to, c.bounds.lo, c.bounds.hi});
  return c.output == Output::separate      ? std::move(y)
         : c.output == Output::first_input ? std::move(a)
                                           : std::move(b);
}

Array clamp(const KernelTable& table, const ArrayCase& c) {
  Random random;
  const Array::Layout layout = {.cols = c.count, .offset = c.offset};
  Array x = special(layout, random);
  Array y(layout);
  float* to = c.output == Output::separate ? y.data() : x.data();
  table.clamp({c.count, x.data(), to, c.bounds.lo, c.bounds.hi});
  return c.output == Output::separate ? std::move(y) : std::move(x);
}

// Output::second_input is dx over dy.
Array clamp_gradient(const KernelTable& table, const ArrayCase& c) {
  Random random;
  const Array::Layout layout = {.cols = c.count, .offset = c.offset};
  const Array x = special(layout, random);
  Array dy(layout, random, 10.0f);
  Array dx(layout);
  Array& to = c.output == Output::separate ? dx : dy;
  table.gradients.clamp({c.count, x.data(), dy.data(), to.data(), c.bounds.lo, c.bounds.hi});
  return std::move(to);
}

enum class Residual { none, separate, output };

struct ScaleShiftCase {
  std::size_t rows, channels, offset;
  Bounds bounds;
  Output output;
  Residual residual;

  std::string name() const {
    return join("r", rows, "c", channels, bounds.lo == 0.0f ? "_relu6" : "",
                output == Output::separate ? "" : "_in_place",
                residual == Residual::none       ? ""
                : residual == Residual::separate ? "_residual"
                                                 : "_over_residual",
                suffix("_offset", offset));
  }
};

// In parts of `rows` rows.
Array scale_shift(const KernelTable& table, const ScaleShiftCase& c, std::size_t rows) {
  Random random;
  const Array::Layout layout = {.cols = c.rows * c.channels, .offset = c.offset};
  Array x = special(layout, random);
  Array y(layout);
  const Array scale({.cols = c.channels, .offset = c.offset}, random, 2.0f);
  const Array shift({.cols = c.channels, .offset = c.offset}, random, 5.0f);
  Array residual(layout, random, 5.0f);
  Array& to = c.residual == Residual::output ? residual : c.output == Output::separate ? y : x;
  for (std::size_t i = 0; i < c.rows; i += rows) {
    table.scale_shift(
        {.rows = i + rows < c.rows ? rows : c.rows - i,
         .channels = c.channels,
         .x = x.data() + i * c.channels,
         .scale = scale.data(),
         .shift = shift.data(),
         .residual = c.residual == Residual::none ? nullptr : residual.data() + i * c.channels,
         .y = to.data() + i * c.channels,
         .lo = c.bounds.lo,
         .hi = c.bounds.hi});
  }
  return std::move(to);
}

void add_array_cases(const KernelTable& table, std::size_t count) {
  for (const std::size_t offset : {0u, 1u, 3u}) {
    for (const Bounds& bounds : {Bounds{}, kRelu6}) {
      for (const Output output : {Output::separate, Output::first_input, Output::second_input}) {
        const ArrayCase c = {count, offset, bounds, output};
        add_case_in_both_places("add", table, c.name(), [&table, c] {
          expect_near(add(table, c), add(reference(), c), 0.0);
        });
        if (output != Output::second_input) {
          add_case_in_both_places("clamp", table, c.name(), [&table, c] {
            expect_near(clamp(table, c), clamp(reference(), c), 0.0);
          });
        }
        if (output != Output::first_input) {
          add_case_in_both_places("clamp_gradient", table, c.name(), [&table, c] {
            expect_same_bits(clamp_gradient(table, c), clamp_gradient(reference(), c));
          });
        }
      }
    }
  }
}

void add_scale_shift_case(const KernelTable& table, const ScaleShiftCase& c) {
  add_case_in_both_places("scale_shift", table, c.name(), [&table, c] {
    // The largest finite value, 3e38, times 2 is infinite: one rounding of that size apart.
    expect_near(scale_shift(table, c, c.rows), scale_shift(reference(), c, c.rows),
                4 * kEpsilon * (10.0 * 2.0 + 5.0 + 5.0));
    expect_same_bits(scale_shift(table, c, 2), scale_shift(table, c, c.rows));
  });
}

void add_scale_shift_cases(const KernelTable& table, std::size_t channels) {
  for (const std::size_t offset : {0u, 1u, 3u}) {
    for (const Bounds& bounds : {Bounds{}, kRelu6}) {
      for (const Residual residual : {Residual::none, Residual::separate, Residual::output}) {
        add_scale_shift_case(table, {7, channels, offset, bounds, Output::separate, residual});
        if (residual != Residual::output) {
          add_scale_shift_case(table, {7, channels, offset, bounds, Output::first_input, residual});
        }
      }
    }
  }
}

// Both kernels, on parts of a few elements: the bits of one call.
void run_in_parts(const KernelTable& table, std::size_t part) {
  Random random;
  const Array a({.cols = 199}, random, 10.0f);
  const Array b({.cols = 199}, random, 10.0f);
  Array sums({.cols = 199});
  Array want({.cols = 199});
  Array clamped({.cols = 199});
  Array want_clamped({.cols = 199});
  for (std::size_t i = 0; i < 199; i += part) {
    const std::size_t count = i + part < 199 ? part : 199 - i;
    table.add({count, a.data() + i, b.data() + i, sums.data() + i, 0.0f, 6.0f});
    table.clamp({count, a.data() + i, clamped.data() + i, 0.0f, 6.0f});
  }
  table.add({199, a.data(), b.data(), want.data(), 0.0f, 6.0f});
  table.clamp({199, a.data(), want_clamped.data(), 0.0f, 6.0f});
  expect_same_bits(sums, want);
  expect_same_bits(clamped, want_clamped);
}

// Infinite bounds leave every bit as it is, a NaN's and a negative zero's too.
void run_unbounded_clamp(const KernelTable& table) {
  Random random;
  const Array x = special({.cols = 3 * table.lanes + 22}, random);
  Array y({.cols = x.cols()});
  table.clamp({x.cols(), x.data(), y.data(), -kInfinity, kInfinity});
  expect_same_bits(y, x);
}

}  // namespace

void add_elementwise_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, lanes - 1, lanes, lanes + 1,
                              2 * lanes, 4 * lanes + 3, std::size_t{53}, std::size_t{1009}}) {
    add_array_cases(table, n);
    if (n > 0) {
      add_scale_shift_cases(table, n);
    }
  }
  for (const std::size_t part : {1u, 5u, 16u, 37u}) {
    add_case("elementwise_in_parts", table, join("n199_part", part),
             [&table, part] { run_in_parts(table, part); });
  }
  add_case("clamp", table, "infinite_bounds", [&table] { run_unbounded_clamp(table); });
}

}  // namespace lamina::test

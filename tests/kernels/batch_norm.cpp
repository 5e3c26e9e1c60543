#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"

namespace lamina::test {
namespace {

const KernelTable& reference() { return *kernels::find_kernels("reference"); }

struct NormCase {
  std::size_t rows, channels;
  Bounds bounds = {};
  std::size_t gap = 0, offset = 0;

  std::string name() const {
    return join("r", rows, "c", channels, bounds.lo == 0.0f ? "_relu6" : "", suffix("_gap", gap),
                suffix("_offset", offset));
  }
};

// Sums that start at one, amid canaries.
class Doubles {
 public:
  explicit Doubles(std::size_t count) : values_(count + 2 * kGuard, kCanary) {
    std::fill_n(data(), count, 1.0);
  }
  double* data() { return values_.data() + kGuard; }

  void expect_near(const Doubles& want, double tolerance) const {
    ASSERT_EQ(values_.size(), want.values_.size());
    for (std::size_t i = 0; i < values_.size(); ++i) {
      ASSERT_NEAR(values_[i], want.values_[i], tolerance) << "at [" << i - kGuard << "]";
    }
  }

 private:
  static constexpr std::size_t kGuard = 16;
  static constexpr double kCanary = 1801.25;
  std::vector<double> values_;
};

struct Sums {
  Doubles first, second;
};

// Multiples of 1 / steps in [-most, most].
Array multiples(const Array::Layout& layout, Random& random, float most, float steps) {
  Array array(layout, random, most);
  for (std::size_t i = 0; i < array.rows(); ++i) {
    for (std::size_t j = 0; j < array.cols(); ++j) {
      array.at(i, j) = std::round(array.at(i, j) * steps) / steps + 0.0f;
    }
  }
  return array;
}

// Few digits: every product and every sum of a few hundred rows is exact, and many values of
// x * scale + shift are bounds.
struct Operands {
  NormCase shape;
  Random random;
  Array x, dy, scale, shift, mean, a, b, d;

  explicit Operands(const NormCase& c)
      : shape(c),
        x(multiples({c.rows, c.channels, c.gap, c.offset}, random, 4.0f, 4.0f)),
        dy(multiples({.rows = c.rows, .cols = c.channels, .offset = c.offset}, random, 2.0f, 4.0f)),
        scale(multiples(row(), random, 2.0f, 2.0f)),
        shift(multiples(row(), random, 3.0f, 2.0f)),
        mean(multiples(row(), random, 1.0f, 4.0f)),
        a(multiples(row(), random, 2.0f, 4.0f)),
        b(multiples(row(), random, 1.0f, 4.0f)),
        d(multiples(row(), random, 1.0f, 4.0f)) {}

  Array::Layout row() const { return {.cols = shape.channels, .offset = shape.offset}; }

  // `part` channels a call.
  Sums moments(const KernelTable& table, std::size_t part) const {
    Sums sums{Doubles(shape.channels), Doubles(shape.channels)};
    for (std::size_t c = 0; c < shape.channels; c += part) {
      table.gradients.moments({.rows = shape.rows,
                               .channels = std::min(part, shape.channels - c),
                               .x = x.data() + c,
                               .ldx = x.ld(),
                               .shift = mean.data() + c,
                               .sums = sums.first.data() + c,
                               .squares = sums.second.data() + c});
    }
    return sums;
  }

  Sums norm_sums(const KernelTable& table) const {
    Sums sums{Doubles(shape.channels), Doubles(shape.channels)};
    table.gradients.norm_sums({.rows = shape.rows,
                               .channels = shape.channels,
                               .x = x.data(),
                               .dy = dy.data(),
                               .scale = scale.data(),
                               .shift = shift.data(),
                               .mean = mean.data(),
                               .lo = shape.bounds.lo,
                               .hi = shape.bounds.hi,
                               .sum_dy = sums.first.data(),
                               .sum_dy_x = sums.second.data()});
    return sums;
  }

  // Rows in parts of `rows`, from `from` to `to`, which may be one array.
  void norm_input(const KernelTable& table, std::size_t rows, const Array& from, Array& to) const {
    for (std::size_t i = 0; i < shape.rows; i += rows) {
      const std::size_t first = i * shape.channels;
      table.gradients.norm_input({.rows = std::min(rows, shape.rows - i),
                                  .channels = shape.channels,
                                  .x = x.data() + first,
                                  .dy = from.data() + first,
                                  .scale = scale.data(),
                                  .shift = shift.data(),
                                  .mean = mean.data(),
                                  .lo = shape.bounds.lo,
                                  .hi = shape.bounds.hi,
                                  .a = a.data(),
                                  .b = b.data(),
                                  .d = d.data(),
                                  .dx = to.data() + first});
    }
  }

  Array norm_input(const KernelTable& table, std::size_t rows) const {
    Array dx({.rows = shape.rows, .cols = shape.channels, .offset = shape.offset});
    norm_input(table, rows, dy, dx);
    return dx;
  }

  // Arrays without so few digits. Then mask and sums round; `margin` says how far.
  void fill_with_noise() {
    for (Array* array : {&x, &dy, &scale, &shift, &mean, &a, &b, &d}) {
      for (std::size_t i = 0; i < array->rows(); ++i) {
        for (std::size_t j = 0; j < array->cols(); ++j) {
          array->at(i, j) += random.uniform(0.3f);
        }
      }
    }
  }
};

void run_moments(const KernelTable& table, const NormCase& shape) {
  const Operands operands(shape);
  const Sums want = operands.moments(reference(), shape.channels);
  for (const std::size_t part : {shape.channels, std::size_t{1}, std::size_t{7}}) {
    SCOPED_TRACE(join("parts of ", part));
    const Sums got = operands.moments(table, part);
    got.first.expect_near(want.first, 0.0);
    got.second.expect_near(want.second, 0.0);
  }
}

void run_norm(const KernelTable& table, const NormCase& shape) {
  const Operands operands(shape);
  const Sums want = operands.norm_sums(reference());
  const Sums got = operands.norm_sums(table);
  got.first.expect_near(want.first, 0.0);
  got.second.expect_near(want.second, 0.0);

  const Array dx = operands.norm_input(table, shape.rows);
  expect_near(dx, operands.norm_input(reference(), shape.rows), 0.0);
  expect_same_bits(operands.norm_input(table, 3), dx);
  Array in_place({.rows = shape.rows, .cols = shape.channels, .offset = shape.offset});
  in_place.copy_from(operands.dy);
  operands.norm_input(table, shape.rows, in_place, in_place);
  expect_same_bits(in_place, dx);
}

// All digits: a sum's error is a few roundings of its largest partial sum.
void run_noise(const KernelTable& table, const NormCase& shape) {
  Operands operands(shape);
  operands.fill_with_noise();
  const double x = operands.x.max_abs() + operands.mean.max_abs();
  const double dy = operands.dy.max_abs();
  const double rows = static_cast<double>(shape.rows);
  const double each = kEpsilon * (rows / 4 + 4) * rows;

  const Sums moments = operands.moments(table, shape.channels);
  const Sums want_moments = operands.moments(reference(), shape.channels);
  moments.first.expect_near(want_moments.first, each * x);
  moments.second.expect_near(want_moments.second, each * x * x);

  const Sums sums = operands.norm_sums(table);
  const Sums want = operands.norm_sums(reference());
  sums.first.expect_near(want.first, each * dy);
  sums.second.expect_near(want.second, each * dy * x);

  const double terms = dy * operands.a.max_abs() + x * operands.b.max_abs() + operands.d.max_abs();
  expect_near(operands.norm_input(table, shape.rows), operands.norm_input(reference(), shape.rows),
              4 * kEpsilon * terms);
}

// Values within a rounding of the upper bound: the gradient passes where the forward kernel's own
// result lies strictly inside.
void run_mask(const KernelTable& table, std::size_t channels) {
  Operands operands({.rows = 5, .channels = channels, .bounds = kRelu6});
  operands.fill_with_noise();
  for (std::size_t c = 0; c < channels; ++c) {
    operands.shift.at(0, c) = 6.0f - operands.x.at(2, c) * operands.scale.at(0, c);
    operands.a.at(0, c) = 1.0f;
    operands.b.at(0, c) = operands.d.at(0, c) = 0.0f;
  }
  Array y({.rows = 5, .cols = channels});
  table.scale_shift({.rows = 5,
                     .channels = channels,
                     .x = operands.x.data(),
                     .scale = operands.scale.data(),
                     .shift = operands.shift.data(),
                     .y = y.data(),
                     .lo = 0.0f,
                     .hi = 6.0f});
  Array want({.rows = 5, .cols = channels});
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t c = 0; c < channels; ++c) {
      const bool inside = 0.0f < y.at(i, c) && y.at(i, c) < 6.0f;
      want.at(i, c) = inside ? operands.dy.at(i, c) : 0.0f;
    }
  }
  expect_near(operands.norm_input(table, 5), want, 0.0);
  Doubles sums(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < 5; ++i) {
      sums.data()[c] += double{want.at(i, c)};
    }
  }
  operands.norm_sums(table).first.expect_near(sums, 8 * kEpsilon * operands.dy.max_abs());
}

// What is not a number passes no gradient.
void run_nan(const KernelTable& table) {
  Operands operands({.rows = 2, .channels = 2 * table.lanes + 3, .bounds = kRelu6});
  operands.x.at(1, 1) = kNan;
  operands.x.at(0, table.lanes) = kInfinity;
  const Array dx = operands.norm_input(table, 2);
  expect_near(dx, operands.norm_input(reference(), 2), 0.0);
  EXPECT_TRUE(std::isnan(dx.at(1, 1)));
  EXPECT_FALSE(std::isnan(dx.at(0, 1)));
}

void add(const KernelTable& table, const NormCase& shape) {
  add_case_in_both_places("moments", table, shape.name(),
                          [&table, shape] { run_moments(table, shape); });
  if (shape.gap == 0) {
    add_case_in_both_places("norm", table, shape.name(),
                            [&table, shape] { run_norm(table, shape); });
    add_case("norm_noise", table, shape.name(), [&table, shape] { run_noise(table, shape); });
  }
}

}  // namespace

void add_batch_norm_cases(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t channels :
       {std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes, 4 * lanes + 3, std::size_t{53}}) {
    if (channels == 0) {
      continue;
    }
    for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 7u, 8u, 49u, 97u}) {
      add(table, {rows, channels});
      add(table, {rows, channels, kRelu6});
    }
    for (const std::size_t offset : {1u, 3u}) {
      add(table, {.rows = 6, .channels = channels, .bounds = kRelu6, .offset = offset});
      add(table, {.rows = 6, .channels = channels, .gap = 5, .offset = offset});
    }
  }
  for (const std::size_t channels : {16u, 24u, 96u, 144u, 320u, 960u, 1280u}) {
    add(table, {.rows = 196, .channels = channels, .bounds = kRelu6});
  }
  for (const std::size_t channels : {lanes, 2 * lanes + 1, std::size_t{1009}}) {
    add_case("norm_mask", table, join("c", channels),
             [&table, channels] { run_mask(table, channels); });
  }
  add_case("norm", table, "nan", [&table] { run_nan(table); });
}

}  // namespace lamina::test

#include <cmath>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/windows.h"

namespace lamina::test {
namespace {

struct Col2imCase {
  WindowCase window;
  std::size_t channels;
  std::size_t others = 0;  // channels of other groups beside these
  std::size_t offset = 0;

  std::string name() const {
    return join(window.name(), "c", channels, suffix("of", others == 0 ? 0 : channels + others),
                suffix("_offset", offset));
  }
};

// Small integers: all sums are exact, in whatever order.
Array integers(const Array::Layout& layout, Random& random) {
  Array array(layout, random, 20.0f);
  for (std::size_t i = 0; i < array.rows(); ++i) {
    for (std::size_t j = 0; j < array.cols(); ++j) {
      array.at(i, j) = std::round(array.at(i, j)) + 0.0f;  // no negative zero
    }
  }
  return array;
}

struct Operands {
  Col2imCase shape;
  kernels::Window window;
  Random random;
  Array x, columns;

  explicit Operands(const Col2imCase& c)
      : shape(c),
        window(c.window.window()),
        x(integers({window.in_h * window.in_w, c.channels, c.others, c.offset}, random)),
        columns(integers({.rows = window.out_h * window.out_w,
                          .cols = window.kernel_h * window.kernel_w * c.channels,
                          .offset = c.offset},
                         random)) {}

  Array output() const {
    Array to({x.rows(), shape.channels, shape.others, shape.offset});
    to.copy_from(x);
    return to;
  }

  // Output pixels in parts of `pixels`.
  void scatter(const KernelTable& table, std::size_t pixels, Array& to) const {
    for (std::size_t pixel = 0; pixel < columns.rows(); pixel += pixels) {
      const std::size_t rest = columns.rows() - pixel;
      table.gradients.col2im({.window = window,
                              .channels = shape.channels,
                              .pixel_begin = pixel,
                              .pixel_end = pixel + (pixels < rest ? pixels : rest),
                              .columns = columns.data() + pixel * columns.ld(),
                              .x = to.data(),
                              .ldx = to.ld()});
    }
  }

  Array scatter(const KernelTable& table) const {
    Array to = output();
    scatter(table, columns.rows(), to);
    return to;
  }
};

void run(const KernelTable& table, const Col2imCase& shape) {
  const Operands operands(shape);
  const Array want = operands.scatter(*kernels::find_kernels("reference"));
  expect_same_bits(operands.scatter(table), want);
}

void run_in_parts(const KernelTable& table, const Col2imCase& shape, std::size_t pixels) {
  const Operands operands(shape);
  Array got = operands.output();
  operands.scatter(table, pixels, got);
  expect_same_bits(got, operands.scatter(table));
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

// <im2col(x), y> = <x, col2im(y)>, exactly.
void run_adjoint(const KernelTable& table, const Col2imCase& shape) {
  const Operands operands(shape);
  Array gathered({.rows = operands.columns.rows(), .cols = operands.columns.cols()});
  table.im2col({.window = operands.window,
                .channels = shape.channels,
                .pixel_begin = 0,
                .pixel_end = gathered.rows(),
                .x = operands.x.data(),
                .ldx = operands.x.ld(),
                .columns = gathered.data()});
  Array scattered = operands.output();
  for (std::size_t i = 0; i < scattered.rows(); ++i) {
    for (std::size_t c = 0; c < scattered.cols(); ++c) {
      scattered.at(i, c) = 0.0f;
    }
  }
  operands.scatter(table, operands.columns.rows(), scattered);
  EXPECT_EQ(dot(gathered, operands.columns), dot(operands.x, scattered));
}

void add(const KernelTable& table, const Col2imCase& shape) {
  add_case_in_both_places("col2im", table, shape.name(), [&table, shape] { run(table, shape); });
  add_case("col2im_adjoint", table, shape.name(), [&table, shape] { run_adjoint(table, shape); });
}

}  // namespace

void add_col2im_cases(const KernelTable& table) {
  for (const WindowCase& window : kWindows) {
    for (const std::size_t channels :
         {std::size_t{1}, std::size_t{3}, table.lanes, 2 * table.lanes + 1}) {
      for (const std::size_t others : {0u, 5u}) {
        add(table, {window, channels, others});
      }
    }
  }
  WindowCase stem = window_of(layers_under_test().front());
  stem.in = {32, 32};
  add(table, {stem, 3});
  for (const std::size_t offset : {1u, 3u}) {
    add(table, {{.in = {9, 9}, .before = {1, 1}, .after = {1, 1}}, 7, 0, offset});
  }
  for (const std::size_t pixels : {1u, 7u, 50u}) {
    const Col2imCase shape = {
        {.in = {15, 13}, .stride = {2, 1}, .before = {1, 1}, .after = {1, 1}}, 5, 2};
    add_case("col2im_in_parts", table, join(shape.name(), "_pixels", pixels),
             [&table, shape, pixels] { run_in_parts(table, shape, pixels); });
  }
}

}  // namespace lamina::test

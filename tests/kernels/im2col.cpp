#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/windows.h"

namespace lamina::test {
namespace {

struct Im2colCase {
  WindowCase window;
  std::size_t channels;
  std::size_t others = 0;  // channels of other groups beside these
  std::size_t offset = 0;

  std::string name() const {
    return join(window.name(), "c", channels, suffix("of", others == 0 ? 0 : channels + others),
                suffix("_offset", offset));
  }
};

struct Operands {
  Im2colCase shape;
  kernels::Window window;
  Random random;
  Array x;  // a row for each pixel; the canaries beside it stand for the other groups

  explicit Operands(const Im2colCase& c)
      : shape(c),
        window(c.window.window()),
        x({window.in_h * window.in_w, c.channels, c.others, c.offset}, random) {}

  Array output() const {
    return Array({.rows = window.out_h * window.out_w,
                  .cols = window.kernel_h * window.kernel_w * shape.channels,
                  .offset = shape.offset});
  }

  kernels::Im2colArgs args(Array& columns) const {
    return {.window = window,
            .channels = shape.channels,
            .pixel_begin = 0,
            .pixel_end = columns.rows(),
            .x = x.data(),
            .ldx = x.ld(),
            .columns = columns.data()};
  }

  Array gather(const KernelTable& table) const {
    Array columns = output();
    table.im2col(args(columns));
    return columns;
  }
};

void run(const KernelTable& table, const Im2colCase& shape) {
  const Operands operands(shape);
  const Array want = operands.gather(*kernels::find_kernels("reference"));
  expect_same_bits(operands.gather(table), want);
}

void run_in_parts(const KernelTable& table, const Im2colCase& shape, std::size_t pixels) {
  const Operands operands(shape);
  Array got = operands.output();
  for (std::size_t pixel = 0; pixel < got.rows(); pixel += pixels) {
    kernels::Im2colArgs part = operands.args(got);
    part.pixel_begin = pixel;
    part.pixel_end = pixel + pixels < got.rows() ? pixel + pixels : got.rows();
    part.columns += pixel * got.ld();
    table.im2col(part);
  }
  expect_same_bits(got, operands.gather(table));
}

void add(const KernelTable& table, const Im2colCase& shape) {
  add_case_in_both_places("im2col", table, shape.name(), [&table, shape] { run(table, shape); });
}

}  // namespace

void add_im2col_cases(const KernelTable& table) {
  for (const WindowCase& window : kWindows) {
    for (const std::size_t channels :
         {std::size_t{1}, std::size_t{3}, table.lanes, 2 * table.lanes + 1}) {
      for (const std::size_t others : {0u, 5u}) {
        add(table, {window, channels, others});
      }
    }
  }
  const WindowCase stem = window_of(layers_under_test().front());
  add(table, {stem, 3});
  for (const std::size_t offset : {1u, 3u}) {
    add(table, {{.in = {9, 9}, .before = {1, 1}, .after = {1, 1}}, 7, 0, offset});
  }
  for (const std::size_t pixels : {1u, 7u, 50u}) {
    const Im2colCase shape = {
        {.in = {15, 13}, .stride = {2, 1}, .before = {1, 1}, .after = {1, 1}}, 5, 2};
    add_case("im2col_in_parts", table, join(shape.name(), "_pixels", pixels),
             [&table, shape, pixels] { run_in_parts(table, shape, pixels); });
  }
}

}  // namespace lamina::test

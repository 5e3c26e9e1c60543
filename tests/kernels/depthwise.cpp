#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/windows.h"

namespace lamina::test {
namespace {

using Kernel = void (*)(const kernels::DepthwiseArgs&);

struct DepthwiseCase {
  WindowCase window;
  std::size_t channels;
  bool bias = true;
  Bounds bounds = {};
  std::size_t offset = 0;

  std::string name() const {
    return join(window.name(), "c", channels, bias ? "" : "_nobias",
                bounds.lo == 0.0f ? "_relu6" : "", suffix("_offset", offset));
  }
};

struct Operands {
  DepthwiseCase shape;
  kernels::Window window;
  Random random;
  Array x, w, bias;

  explicit Operands(const DepthwiseCase& c)
      : shape(c),
        window(c.window.window()),
        x({.cols = window.in_h * window.in_w * c.channels, .offset = c.offset}, random, 3.0f),
        w({.cols = window.kernel_h * window.kernel_w * c.channels, .offset = c.offset}, random),
        bias({.cols = c.channels, .offset = c.offset}, random, 4.0f) {}

  Array output() const {
    return Array(
        {.rows = window.out_h, .cols = window.out_w * shape.channels, .offset = shape.offset});
  }

  kernels::DepthwiseArgs args(Array& y) const {
    return {.window = window,
            .channels = shape.channels,
            .row_begin = 0,
            .row_end = window.out_h,
            .x = x.data(),
            .w = w.data(),
            .bias = shape.bias ? bias.data() : nullptr,
            .y = y.data(),
            .lo = shape.bounds.lo,
            .hi = shape.bounds.hi};
  }

  Array convolve(Kernel kernel) const {
    Array y = output();
    kernel(args(y));
    return y;
  }

  double tolerance() const {
    const double terms = static_cast<double>(window.kernel_h * window.kernel_w + 1);
    return 2 * kEpsilon * terms * (x.max_abs() * w.max_abs() + bias.max_abs());
  }
};

void run(Kernel kernel, const DepthwiseCase& shape) {
  const Operands operands(shape);
  const Array want = operands.convolve(kernels::find_kernels("reference")->depthwise);
  expect_near(operands.convolve(kernel), want, operands.tolerance());
}

// Rows in parts: the bits of one call, and no row beside the part is touched.
void run_in_parts(Kernel kernel, const DepthwiseCase& shape, std::size_t rows) {
  const Operands operands(shape);
  const Array want = operands.convolve(kernel);
  Array got = operands.output();
  for (std::size_t row = 0; row < operands.window.out_h; row += rows) {
    kernels::DepthwiseArgs part = operands.args(got);
    part.row_begin = row;
    part.row_end = row + rows < part.window.out_h ? row + rows : part.window.out_h;
    kernel(part);
    for (std::size_t below = part.row_end; below < got.rows(); ++below) {
      ASSERT_NE(got.at(below, 0), got.at(below, 0)) << "row " << below << " written too early";
    }
  }
  expect_same_bits(got, want);
}

void run_nan(Kernel kernel) {
  Operands operands({.window = {.in = {5, 5}, .before = {1, 1}, .after = {1, 1}},
                     .channels = 19,
                     .bounds = kRelu6});
  operands.x.at(0, (2 * 5 + 2) * 19 + 7) = kNan;
  operands.x.at(0, (0 * 5 + 4) * 19 + 18) = kInfinity;
  const Array got = operands.convolve(kernel);
  expect_near(got, operands.convolve(kernels::find_kernels("reference")->depthwise),
              operands.tolerance());
  EXPECT_NE(got.at(2, 2 * 19 + 7), got.at(2, 2 * 19 + 7));
}

void add(const KernelTable& table, const DepthwiseCase& shape) {
  const WindowCase& w = shape.window;
  const bool is_3x3 = w.kernel.h == 3 && w.kernel.w == 3 && w.dilation.h == 1 &&
                      w.dilation.w == 1 && w.stride.h == w.stride.w && w.stride.h <= 2 &&
                      w.before.h <= 1 && w.before.w <= 1 && w.after.h <= 1 && w.after.w <= 1;
  if (is_3x3) {
    add_case_in_both_places("depthwise3x3", table, shape.name(),
                            [=] { run(table.depthwise3x3, shape); });
  }
  add_case_in_both_places("depthwise", table, shape.name(), [=] { run(table.depthwise, shape); });
}

// Every width up to two tiles and more, each stride and padding: none, "same", symmetric.
void add_3x3_sizes(const KernelTable& table) {
  for (const std::size_t stride : {1u, 2u}) {
    for (std::size_t size = 1; size <= 20; ++size) {
      const WindowCase::Pair in = {size % 7 + 1, size};
      const WindowCase::Pair by = {stride, stride};
      const std::size_t channels = table.lanes + 3;
      add(table, {{.in = in, .stride = by, .before = {1, 1}, .after = {1, 1}}, channels});
      if (in.h >= 2 && in.w >= 2) {
        add(table, {{.in = in, .stride = by, .after = {1, 1}}, channels});
        add(table, {{.in = in, .stride = by, .before = {1, 1}}, channels});
      }
      if (in.h >= 3 && in.w >= 3) {
        add(table, {{.in = in, .stride = by}, channels});
      }
    }
  }
}

void add_variants(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t stride : {1u, 2u}) {
    const WindowCase window = {
        .in = {9, 16}, .stride = {stride, stride}, .before = {1, 1}, .after = {1, 1}};
    for (const std::size_t channels : {std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes,
                                       3 * lanes + lanes / 2 + 1, std::size_t{53}}) {
      for (const std::size_t offset : {0u, 1u, 3u}) {
        for (const bool bias : {true, false}) {
          add(table, {window, channels, bias, bias ? kRelu6 : Bounds{}, offset});
        }
      }
    }
  }
}

}  // namespace

void add_depthwise_cases(const KernelTable& table) {
  add_3x3_sizes(table);
  add_variants(table);
  for (const WindowCase& window : kWindows) {
    for (const std::size_t channels : {std::size_t{1}, table.lanes, 2 * table.lanes + 3}) {
      add(table, {window, channels});
    }
  }
  for (const NetworkLayer& layer : layers_under_test()) {
    if (layer.kind == NetworkLayer::Kind::depthwise) {
      add(table, {.window = window_of(layer), .channels = layer.in, .bounds = kRelu6});
    }
  }
  for (const std::size_t rows : {1u, 2u, 3u, 5u}) {
    for (const std::size_t stride : {1u, 2u}) {
      const DepthwiseCase shape = {
          {.in = {23, 17}, .stride = {stride, stride}, .before = {1, 1}, .after = {1, 1}}, 37};
      const std::string name = join(shape.name(), "_rows", rows);
      add_case("depthwise3x3_in_parts", table, name,
               [=] { run_in_parts(table.depthwise3x3, shape, rows); });
      add_case("depthwise_in_parts", table, name,
               [=] { run_in_parts(table.depthwise, shape, rows); });
    }
  }
  add_case("depthwise3x3", table, "keeps_nan", [&table] { run_nan(table.depthwise3x3); });
  add_case("depthwise", table, "keeps_nan", [&table] { run_nan(table.depthwise); });
}

}  // namespace lamina::test

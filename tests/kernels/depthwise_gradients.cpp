#include <cmath>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/windows.h"

namespace lamina::test {
namespace {

using kernels::DepthwiseInputGradientArgs;
using kernels::DepthwiseWeightGradientArgs;
using kernels::Window;
using InputKernel = void (*)(const DepthwiseInputGradientArgs&);
using WeightKernel = void (*)(const DepthwiseWeightGradientArgs&);

struct GradientCase {
  Window window;
  std::size_t channels;
  std::size_t offset = 0;

  std::string name() const {
    const Window& w = window;
    return join("i", w.in_h, "x", w.in_w, "o", w.out_h, "x", w.out_w, "k", w.kernel_h, "x",
                w.kernel_w, "s", w.stride_h, "x", w.stride_w, "d", w.dilation_h, "x", w.dilation_w,
                "p", w.pad_top, "x", w.pad_left, "c", channels, suffix("_offset", offset));
  }

  Array image(std::size_t h, std::size_t w, Random& random) const {
    return Array({.rows = h, .cols = w * channels, .offset = offset}, random);
  }
};

struct Operands {
  GradientCase shape;
  Window window;
  Random random;
  Array x, w, dy;

  explicit Operands(const GradientCase& c)
      : shape(c),
        window(c.window),
        x(c.image(window.in_h, window.in_w, random)),
        w(c.image(window.kernel_h, window.kernel_w, random)),
        dy(c.image(window.out_h, window.out_w, random)) {}

  DepthwiseInputGradientArgs args(Array& dx) const {
    return {.window = window,
            .channels = shape.channels,
            .row_begin = 0,
            .row_end = window.in_h,
            .dy = dy.data(),
            .w = w.data(),
            .dx = dx.data()};
  }
  DepthwiseWeightGradientArgs weight_args(Array& dw) const {
    return {.window = window,
            .channels = shape.channels,
            .row_begin = 0,
            .row_end = window.out_h,
            .x = x.data(),
            .dy = dy.data(),
            .dw = dw.data()};
  }

  Array input_array() const {
    return Array(
        {.rows = window.in_h, .cols = window.in_w * shape.channels, .offset = shape.offset});
  }
  // What a weight gradient is added to: not zeros, so that a kernel that overwrites it fails.
  Array weight_array() const {
    Random other(7);
    return shape.image(window.kernel_h, window.kernel_w, other);
  }

  Array input_gradient(InputKernel kernel) const {
    Array dx = input_array();
    kernel(args(dx));
    return dx;
  }
  Array weight_gradient(WeightKernel kernel) const {
    Array dw = weight_array();
    kernel(weight_args(dw));
    return dw;
  }

  double input_tolerance() const {
    const double terms = static_cast<double>(window.kernel_h * window.kernel_w);
    return 2 * kEpsilon * terms * dy.max_abs() * w.max_abs();
  }
  double weight_tolerance() const {
    const double terms = static_cast<double>(window.out_h * window.out_w + 1);
    return 2 * kEpsilon * terms * (x.max_abs() * dy.max_abs() + 1.0);
  }
};

const kernels::GradientKernels& reference() {
  return kernels::find_kernels("reference")->gradients;
}

void run_input(InputKernel kernel, const GradientCase& shape) {
  const Operands operands(shape);
  expect_near(operands.input_gradient(kernel), operands.input_gradient(reference().depthwise_input),
              operands.input_tolerance());
}

void run_weight(WeightKernel kernel, const GradientCase& shape) {
  const Operands operands(shape);
  expect_near(operands.weight_gradient(kernel),
              operands.weight_gradient(reference().depthwise_weight), operands.weight_tolerance());
}

// Rows in parts: the bits of one call, and no row below the part is touched.
void run_input_in_parts(InputKernel kernel, const GradientCase& shape, std::size_t rows) {
  const Operands operands(shape);
  const Array want = operands.input_gradient(kernel);
  Array got = operands.input_array();
  for (std::size_t row = 0; row < operands.window.in_h; row += rows) {
    DepthwiseInputGradientArgs part = operands.args(got);
    part.row_begin = row;
    part.row_end = row + rows < got.rows() ? row + rows : got.rows();
    kernel(part);
    for (std::size_t below = part.row_end; below < got.rows(); ++below) {
      ASSERT_NE(got.at(below, 0), got.at(below, 0)) << "row " << below << " written too early";
    }
  }
  expect_same_bits(got, want);
}

void run_weight_in_parts(WeightKernel kernel, const GradientCase& shape, std::size_t rows) {
  const Operands operands(shape);
  Array got = operands.weight_array();
  for (std::size_t row = 0; row < operands.window.out_h; row += rows) {
    DepthwiseWeightGradientArgs part = operands.weight_args(got);
    part.row_begin = row;
    part.row_end = row + rows < part.window.out_h ? row + rows : part.window.out_h;
    kernel(part);
  }
  expect_near(got, operands.weight_gradient(reference().depthwise_weight),
              operands.weight_tolerance());
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

struct Kernels {
  void (*forward)(const kernels::DepthwiseArgs&);
  InputKernel input;
  WeightKernel weight;
};

// <y, dy> = <x, dx> = <w, dw> for the y that x and w give: all three are linear in each operand.
void run_adjoint(const Kernels& kernels, const GradientCase& shape) {
  const Operands operands(shape);
  const Window& window = operands.window;
  Array y({.rows = window.out_h, .cols = window.out_w * shape.channels, .offset = shape.offset});
  kernels.forward({.window = window,
                   .channels = shape.channels,
                   .row_begin = 0,
                   .row_end = window.out_h,
                   .x = operands.x.data(),
                   .w = operands.w.data(),
                   .bias = nullptr,
                   .y = y.data(),
                   .lo = -kInfinity,
                   .hi = kInfinity});
  Array dw = operands.weight_array();
  const double before = dot(operands.w, dw);
  kernels.weight(operands.weight_args(dw));
  const double want = dot(y, operands.dy);
  const double terms =
      static_cast<double>(window.out_h * window.out_w * window.kernel_h * window.kernel_w);
  const double tolerance =
      kEpsilon * (std::sqrt(terms) + 9.0) * static_cast<double>(shape.channels) * terms / 9.0;
  EXPECT_NEAR(dot(operands.x, operands.input_gradient(kernels.input)), want, tolerance);
  EXPECT_NEAR(dot(operands.w, dw) - before, want, tolerance);
}

// What falls into the padding is dropped: infinite values in a corner give no NaN.
void run_infinity(const kernels::GradientKernels& gradients) {
  const GradientCase shape = {WindowCase{.in = {4, 5}, .before = {1, 1}, .after = {1, 1}}.window(),
                              19};
  Operands operands(shape);
  const double input_tolerance = operands.input_tolerance();
  const double weight_tolerance = operands.weight_tolerance();
  operands.x.at(0, 7) = kInfinity;
  operands.dy.at(3, 4 * 19 + 18) = kInfinity;
  operands.dy.at(1, 2 * 19 + 3) = kNan;
  expect_near(operands.input_gradient(gradients.depthwise3x3_input),
              operands.input_gradient(reference().depthwise_input), input_tolerance);
  expect_near(operands.weight_gradient(gradients.depthwise3x3_weight),
              operands.weight_gradient(reference().depthwise_weight), weight_tolerance);
}

// The padding below or to the right.
std::size_t after(std::size_t in, std::size_t out, std::size_t stride, std::size_t before) {
  const std::size_t read = (out - 1) * stride + 3;
  return read < before + in ? 0 : read - before - in;
}

bool is_3x3(const Window& w) {
  return w.kernel_h == 3 && w.kernel_w == 3 && w.dilation_h == 1 && w.dilation_w == 1 &&
         w.stride_h == w.stride_w && w.stride_h <= 2 && w.pad_top <= 2 && w.pad_left <= 1 &&
         after(w.in_h, w.out_h, w.stride_h, w.pad_top) <= 2 &&
         after(w.in_w, w.out_w, w.stride_w, w.pad_left) <= 1;
}

void add_kernels(const KernelTable& table, const GradientCase& shape, const std::string& prefix,
                 const Kernels& kernels) {
  const std::string name = shape.name();
  add_case_in_both_places(prefix + "_input", table, name, [=] { run_input(kernels.input, shape); });
  add_case_in_both_places(prefix + "_weight", table, name,
                          [=] { run_weight(kernels.weight, shape); });
  add_case(prefix + "_adjoint", table, name, [=] { run_adjoint(kernels, shape); });
}

void add(const KernelTable& table, const GradientCase& shape) {
  const kernels::GradientKernels& gradients = table.gradients;
  if (is_3x3(shape.window)) {
    add_kernels(table, shape, "depthwise3x3",
                {table.depthwise, gradients.depthwise3x3_input, gradients.depthwise3x3_weight});
  }
  add_kernels(table, shape, "depthwise",
              {table.depthwise, gradients.depthwise_input, gradients.depthwise_weight});
}

void add(const KernelTable& table, const WindowCase& window, std::size_t channels) {
  add(table, {window.window(), channels});
}

// Every width up to two vectors of pixels and more, each stride and padding: symmetric, as
// TensorFlow's "same", before only, none.
void add_sizes(const KernelTable& table) {
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t width : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 14u, 15u, 16u, 28u}) {
      const WindowCase::Pair in = {width % 6 + 1, width};
      const WindowCase::Pair by = {stride, stride};
      const std::size_t channels = table.lanes + 3;
      add(table, {.in = in, .stride = by, .before = {1, 1}, .after = {1, 1}}, channels);
      if (in.h >= 2 && in.w >= 2) {
        add(table, {.in = in, .stride = by, .after = {1, 1}}, channels);
        add(table, {.in = in, .stride = by, .before = {1, 1}}, channels);
      }
      if (in.h >= 3 && in.w >= 3) {
        add(table, {.in = in, .stride = by}, channels);
      }
    }
    for (const std::size_t size : {56u, 112u}) {
      add(table, {.in = {3, size}, .stride = {stride, stride}, .before = {1, 1}, .after = {1, 1}},
          2 * table.lanes);
    }
  }
}

// Rows of an image that count as an image: up to two rows of padding above and below, or rows that
// no output reads.
void add_bands(const KernelTable& table) {
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t rows : {1u, 2u, 3u, 6u, 7u}) {
      for (const std::size_t above : {0u, 1u, 2u}) {
        for (std::size_t out = 1; (out - 1) * stride + 3 <= above + rows + 2; ++out) {
          Window window = WindowCase{
              .in = {rows, 9},
              .stride = {stride, stride},
              .before = {2, 1},
              .after = {2, 1}}.window();
          window.pad_top = above;
          window.out_h = out;
          add(table, {window, table.lanes + 1});
        }
      }
    }
  }
}

void add_channels(const KernelTable& table) {
  const std::size_t lanes = table.lanes;
  for (const std::size_t stride : {1u, 2u}) {
    const WindowCase window = {
        .in = {9, 16}, .stride = {stride, stride}, .before = {1, 1}, .after = {1, 1}};
    for (const std::size_t channels :
         {std::size_t{1}, lanes - 1, lanes, lanes + 1, 2 * lanes, 3 * lanes + lanes / 2 + 1,
          std::size_t{53}, std::size_t{96}, std::size_t{144}}) {
      for (const std::size_t offset : {0u, 1u, 3u}) {
        if (channels > 0) {
          add(table, {window.window(), channels, offset});
        }
      }
    }
  }
}

void add_parts(const KernelTable& table) {
  const kernels::GradientKernels& gradients = table.gradients;
  for (const std::size_t rows : {1u, 2u, 3u, 5u}) {
    for (const std::size_t stride : {1u, 2u}) {
      for (const std::size_t pad : {0u, 1u}) {
        const GradientCase shape = {
            WindowCase{
                .in = {22, 17}, .stride = {stride, stride}, .before = {pad, pad}, .after = {1, 1}}
                .window(),
            37};
        const std::string name = join(shape.name(), "_rows", rows);
        add_case("depthwise3x3_input_in_parts", table, name,
                 [=] { run_input_in_parts(gradients.depthwise3x3_input, shape, rows); });
        add_case("depthwise_input_in_parts", table, name,
                 [=] { run_input_in_parts(gradients.depthwise_input, shape, rows); });
        add_case("depthwise3x3_weight_in_parts", table, name,
                 [=] { run_weight_in_parts(gradients.depthwise3x3_weight, shape, rows); });
        add_case("depthwise_weight_in_parts", table, name,
                 [=] { run_weight_in_parts(gradients.depthwise_weight, shape, rows); });
      }
    }
  }
}

}  // namespace

void add_depthwise_gradient_cases(const KernelTable& table) {
  add_sizes(table);
  add_bands(table);
  add_channels(table);
  add_parts(table);
  for (const WindowCase& window : kWindows) {
    for (const std::size_t channels : {std::size_t{1}, table.lanes, 2 * table.lanes + 3}) {
      add(table, window, channels);
    }
  }
  for (const NetworkLayer& layer : layers_under_test()) {
    if (layer.kind == NetworkLayer::Kind::depthwise) {
      add(table, window_of(layer), layer.in);
    }
  }
  add_case("depthwise3x3_gradients", table, "drop_padding",
           [&table] { run_infinity(table.gradients); });
}

}  // namespace lamina::test

#include <algorithm>
#include <string>

#include "tests/kernels/cases.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/windows.h"

namespace lamina::test {
namespace {

struct BlockCase {
  WindowCase window;  // of the depthwise convolution
  std::size_t in_channels, hidden, out_channels;
  enum class First { none, pointwise, stem } first = First::pointwise;
  bool residual = false;
  std::size_t rows_at_once = 2;
  std::size_t rows_a_call = 0;  // 0: all in one call

  std::string name() const {
    const char* firsts[] = {"_none", "_1x1", "_stem"};
    return join(window.name(), "c", in_channels, "h", hidden, "o", out_channels,
                firsts[static_cast<int>(first)], residual ? "_residual" : "", "_slice",
                rows_at_once, suffix("_calls", rows_a_call));
  }

  // The window whose output is the depthwise convolution's input.
  kernels::Window first_window() const {
    const std::size_t h = window.in.h;
    const std::size_t w = window.in.w;
    if (first != First::stem) {
      return WindowCase{.in = {h, w}, .kernel = {1, 1}}.window();
    }
    return WindowCase{.in = {2 * h, 2 * w - 1}, .stride = {2, 2}, .before = {0, 1}, .after = {1, 1}}
        .window();
  }
};

// The block and its operands for one table; weights are packed by it.
class Operands {
 public:
  Operands(const KernelTable& table, const BlockCase& shape)
      : table_(table),
        shape_(shape),
        first_(shape.first_window()),
        window_(shape.window.window()),
        depth_(first_.kernel_h * first_.kernel_w * shape.in_channels),
        x_(random({first_.in_h * first_.in_w, shape.in_channels})),
        expand_(random({shape.hidden, depth_})),
        expand_bias_(random({1, shape.hidden})),
        depthwise_(random({9, shape.hidden})),
        depthwise_bias_(random({1, shape.hidden})),
        project_(random({shape.out_channels, shape.hidden})),
        project_bias_(random({1, shape.out_channels})),
        residual_(random({window_.out_h * window_.out_w, shape.out_channels})),
        packed_expand_(packed(expand_)),
        packed_project_(packed(project_)) {}

  Array output() const {
    return Array({.rows = window_.out_h, .cols = window_.out_w * shape_.out_channels});
  }

  // The kernel under test, in calls of rows_a_call rows.
  Array fused() const {
    Array y = output();
    kernels::InvertedResidualArgs args = fused_args(y);
    const Array::Layout scratch = {.cols = table_.inverted_residual_scratch(args)};
    const std::size_t rows = shape_.rows_a_call == 0 ? window_.out_h : shape_.rows_a_call;
    for (std::size_t row = 0; row < window_.out_h; row += rows) {
      Array fresh(scratch);
      args.scratch = fresh.data();
      args.row_begin = row;
      args.row_end = std::min(row + rows, window_.out_h);
      table_.inverted_residual(args);
      fresh.expect_canaries();
    }
    return y;
  }

  // The same by one kernel after the other, with the tensors between them whole.
  Array unfused() const {
    const std::size_t hidden_pixels = window_.in_h * window_.in_w;
    Array hidden({.cols = hidden_pixels * shape_.hidden});
    if (shape_.first == BlockCase::First::none) {
      hidden.copy_from(x_);
    } else {
      Array columns({.cols = hidden_pixels * depth_});
      table_.im2col({.window = first_,
                     .channels = shape_.in_channels,
                     .pixel_begin = 0,
                     .pixel_end = hidden_pixels,
                     .x = x_.data(),
                     .ldx = shape_.in_channels,
                     .columns = columns.data()});
      multiply({hidden_pixels, shape_.hidden, depth_}, columns, packed_expand_, expand_bias_,
               hidden);
    }
    Array filtered({.cols = window_.out_h * window_.out_w * shape_.hidden});
    table_.depthwise3x3({.window = window_,
                         .channels = shape_.hidden,
                         .row_begin = 0,
                         .row_end = window_.out_h,
                         .x = hidden.data(),
                         .w = depthwise_.data(),
                         .bias = depthwise_bias_.data(),
                         .y = filtered.data(),
                         .lo = kRelu6.lo,
                         .hi = kRelu6.hi});
    Array y = output();
    multiply({window_.out_h * window_.out_w, shape_.out_channels, shape_.hidden}, filtered,
             packed_project_, project_bias_, y);
    return y;
  }

  double tolerance() const {
    const double hidden = 6.0 * 9.0 * depthwise_.max_abs() + depthwise_bias_.max_abs();
    const double terms = static_cast<double>(shape_.hidden + depth_ + 12);
    return 2 * kEpsilon * terms * std::max(6.0, hidden) * static_cast<double>(shape_.hidden) / 8;
  }

 private:
  struct Extent {
    std::size_t rows, cols;
  };
  struct Product {
    std::size_t m, n, k;
  };

  Array random(Extent extent) { return Array({.cols = extent.rows * extent.cols}, random_, 0.5f); }

  std::size_t columns_of(const Array& weights) const {
    return &weights == &expand_ ? shape_.hidden : shape_.out_channels;
  }

  Array packed(const Array& weights) const {
    const std::size_t n = columns_of(weights);
    const std::size_t k = weights.cols() / n;
    Array result({.cols = table_.packed_size(n, k)});
    table_.pack({.n = n,
                 .k = k,
                 .panel = table_.best_panel(n),
                 .b = weights.data(),
                 .stride_n = k,
                 .stride_k = 1,
                 .packed = result.data()});
    return result;
  }

  void multiply(const Product& p, const Array& a, const Array& weights, const Array& bias,
                Array& c) const {
    const bool last = &weights == &packed_project_;
    const Bounds bounds = last ? Bounds{} : kRelu6;
    table_.gemm({.m = p.m,
                 .n = p.n,
                 .k = p.k,
                 .panel = table_.best_panel(p.n),
                 .a = a.data(),
                 .lda = p.k,
                 .packed = weights.data(),
                 .bias = bias.data(),
                 .residual = last && shape_.residual ? residual_.data() : nullptr,
                 .ld_residual = p.n,
                 .c = c.data(),
                 .ldc = p.n,
                 .lo = bounds.lo,
                 .hi = bounds.hi});
  }

  kernels::InvertedResidualArgs fused_args(Array& y) const {
    const bool expands = shape_.first != BlockCase::First::none;
    return {.first = first_,
            .window = window_,
            .in_channels = shape_.in_channels,
            .hidden = shape_.hidden,
            .out_channels = shape_.out_channels,
            .row_begin = 0,
            .row_end = window_.out_h,
            .rows_at_once = shape_.rows_at_once,
            .x = x_.data(),
            .expand = expands ? packed_expand_.data() : nullptr,
            .expand_panel = table_.best_panel(shape_.hidden),
            .expand_bias = expand_bias_.data(),
            .depthwise = depthwise_.data(),
            .depthwise_bias = depthwise_bias_.data(),
            .project = packed_project_.data(),
            .project_panel = table_.best_panel(shape_.out_channels),
            .project_bias = project_bias_.data(),
            .residual = shape_.residual ? residual_.data() : nullptr,
            .y = y.data(),
            .lo = kRelu6.lo,
            .hi = kRelu6.hi,
            .project_lo = -kInfinity,
            .project_hi = kInfinity,
            .scratch = nullptr};
  }

  const KernelTable& table_;
  BlockCase shape_;
  Random random_;
  kernels::Window first_, window_;
  std::size_t depth_;
  Array x_, expand_, expand_bias_, depthwise_, depthwise_bias_, project_, project_bias_, residual_;
  Array packed_expand_, packed_project_;
};

// The bits of the separate kernels, and the reference's values.
void run(const KernelTable& table, const BlockCase& shape) {
  const Operands operands(table, shape);
  const Array got = operands.fused();
  expect_same_bits(got, operands.unfused());
  const Operands reference(*kernels::find_kernels("reference"), shape);
  expect_near(got, reference.fused(), operands.tolerance());
}

void add(const KernelTable& table, const BlockCase& shape) {
  add_case("inverted_residual", table, shape.name(), [=, &table] { run(table, shape); });
}

}  // namespace

void add_inverted_residual_cases(const KernelTable& table) {
  using First = BlockCase::First;
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t before : {0u, 1u}) {
      const WindowCase window = {
          .in = {13, 10}, .stride = {stride, stride}, .before = {before, before}, .after = {1, 1}};
      for (const std::size_t slice : {1u, 2u, 3u, 7u, 20u}) {
        for (const std::size_t calls : {0u, 1u, 5u}) {
          add(table, {window, 8, 48, 24, First::pointwise, true, slice, calls});
          add(table, {window, 3, 35, 17, First::stem, false, slice, calls});
          add(table, {window, 19, 19, 8, First::none, false, slice, calls});
        }
      }
    }
    for (const std::size_t size : {1u, 2u, 3u}) {
      const WindowCase tiny = {
          .in = {size, size}, .stride = {stride, stride}, .before = {1, 1}, .after = {1, 1}};
      add(table, {tiny, 4, 24, 4, First::pointwise, false, 2, 0});
      add(table, {tiny, 3, 16, 8, First::stem, false, 2, 0});
    }
  }
  // So wide that every table cuts rows into strips, and channels into more than one panel.
  for (const std::size_t stride : {1u, 2u}) {
    for (const std::size_t before : {0u, 1u}) {
      const WindowCase wide = {
          .in = {7, 345}, .stride = {stride, stride}, .before = {before, before}, .after = {1, 1}};
      add(table, {wide, 8, 104, 24, First::pointwise, stride == 1 && before == 1, 3, 2});
      add(table, {wide, 8, 104, 16, First::pointwise, false, 1, 0});
      add(table, {wide, 3, 104, 16, First::stem, false, 2, 3});
      add(table, {wide, 40, 40, 16, First::none, false, 2, 0});
    }
  }
  // Windows without padding that leave the last columns and rows unread.
  for (const std::size_t width : {8u, 30u, 345u}) {
    for (const std::size_t stride : {1u, 2u}) {
      const WindowCase bare = {.in = {8, width}, .stride = {stride, stride}};
      add(table, {bare, 8, 104, 24, First::pointwise, false, 3, 0});
      add(table, {bare, 3, 16, 8, First::stem, false, 2, 0});
      add(table, {bare, 24, 24, 8, First::none, false, 2, 0});
    }
  }
  const WindowCase block = {.in = {28, 28}, .before = {1, 1}, .after = {1, 1}};
  add(table, {block, 32, 192, 32, First::pointwise, true, 4, 7});
}

}  // namespace lamina::test

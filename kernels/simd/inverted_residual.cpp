#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each slice of output rows:
//   expand: the hidden rows that the slice's windows reach and no slice before did, into a ring;
//   filter: the slice's rows, from the ring into a small buffer;
//   project: that buffer into the output, plus the residual.
// A hidden tensor of up to 4.8 MB becomes a ring of stride * rows_at_once + 2 rows and a slice,
// both of which stay in L2 (section 5.1 of the paper cuts by channels; cutting by rows leaves every
// matrix product whole).
namespace lamina::kernels::LAMINA_ISA {
namespace {

constexpr std::size_t kTaps = 3;

std::size_t round_up(std::size_t floats) { return (floats + kLanes - 1) / kLanes * kLanes; }

// The last rows of the hidden tensor, by row number.
struct Ring {
  float* rows;
  std::size_t count;
  std::size_t row_floats;

  float* at(std::size_t y) const { return rows + y % count * row_floats; }
};

std::size_t ring_rows(const InvertedResidualArgs& args) {
  return args.expand == nullptr ? 0 : args.rows_at_once * args.window.stride_h + kTaps - 1;
}

std::size_t hidden_row_floats(const InvertedResidualArgs& args) {
  return args.window.in_w * args.hidden;
}

bool is_pointwise(const Window& window) { return window.kernel_h * window.kernel_w == 1; }

// Pixels at each end of a hidden row whose windows may leave the image: a tile of the product, so
// that they cost no tile of their own.
constexpr std::size_t kEdgePixels = 14;

std::size_t edge_pixels(const InvertedResidualArgs& args) {
  const std::size_t pixels = args.first.out_w;
  return pixels < 2 * kEdgePixels ? pixels : kEdgePixels;
}

// Floats of the input pixels, with zeros beside the image, under the first or last pixels of a
// hidden row.
std::size_t edge_floats(const InvertedResidualArgs& args) {
  const Window& first = args.first;
  if (args.expand == nullptr || is_pointwise(first)) {
    return 0;
  }
  const std::size_t reach = (edge_pixels(args) - 1) * first.stride_w + first.kernel_w;
  return round_up(reach * args.in_channels);
}

void copy(float* to, const float* from, std::size_t count) {
  for_lanes(count, [&](std::size_t i, auto lanes) { store(to + i, load(from + i, lanes), lanes); });
}

void zero(float* to, std::size_t count) {
  for_lanes(count, [&](std::size_t i, auto lanes) { store(to + i, broadcast(0.0f), lanes); });
}

class Block {
 public:
  explicit Block(const InvertedResidualArgs& args)
      : args_(args),
        ring_{args.scratch, ring_rows(args), hidden_row_floats(args)},
        slice_(args.scratch + round_up(ring_.count * ring_.row_floats)),
        edges_(slice_ + round_up(args.rows_at_once * slice_row_floats())) {
    const std::size_t first_row = args.row_begin * args.window.stride_h;
    next_ = first_row < args.window.pad_top ? 0 : first_row - args.window.pad_top;
  }

  void run() {
    for (std::size_t row = args_.row_begin; row < args_.row_end; row += args_.rows_at_once) {
      const std::size_t left = args_.row_end - row;
      const std::size_t count = left < args_.rows_at_once ? left : args_.rows_at_once;
      if (args_.expand != nullptr) {
        expand_until((row + count - 1) * args_.window.stride_h + kTaps - args_.window.pad_top);
      }
      filter(row, count);
      project(row, count);
    }
  }

 private:
  std::size_t slice_row_floats() const { return args_.window.out_w * args_.hidden; }

  // Hidden rows up to, not including, `end`.
  void expand_until(std::size_t end) {
    end = end < args_.window.in_h ? end : args_.window.in_h;
    while (next_ < end) {
      if (is_pointwise(args_.first)) {
        const std::size_t contiguous = ring_.count - next_ % ring_.count;
        const std::size_t wanted = end - next_;
        expand_rows(contiguous < wanted ? contiguous : wanted);
      } else {
        convolve_row();
      }
    }
  }

  GemmArgs expansion(std::size_t rows, std::size_t k) const {
    return {.m = rows * args_.window.in_w,
            .n = args_.hidden,
            .k = k,
            .panel = args_.expand_panel,
            .a = nullptr,
            .lda = k,
            .packed = args_.expand,
            .bias = args_.expand_bias,
            .residual = nullptr,
            .ld_residual = 0,
            .c = ring_.at(next_),
            .ldc = args_.hidden,
            .lo = args_.lo,
            .hi = args_.hi};
  }

  void expand_rows(std::size_t rows) {
    GemmArgs product = expansion(rows, args_.in_channels);
    product.a = args_.x + next_ * args_.window.in_w * args_.in_channels;
    gemm(product);
    next_ += rows;
  }

  // One hidden row by a window with more than one tap, a segment for each of the window's rows: at
  // the ends from copies of the input's pixels with zeros beside them, between them in place.
  void convolve_row() {
    const std::size_t pixels = args_.window.in_w;
    const std::size_t edge = edge_pixels(args_);
    convolve_edge(0, edge);
    if (edge < pixels) {
      convolve_between(edge, pixels - edge);
      convolve_edge(pixels - edge, pixels);
    }
    ++next_;
  }

  // Input row under tap ky of the next hidden row; null outside of the image.
  const float* input_row(std::size_t ky) const {
    const Window& first = args_.first;
    const std::size_t padded_y = next_ * first.stride_h + ky;
    const std::size_t y = padded_y - first.pad_top;
    const bool inside = padded_y >= first.pad_top && y < first.in_h;
    return inside ? args_.x + y * first.in_w * args_.in_channels : nullptr;
  }

  void convolve_edge(std::size_t begin, std::size_t end) {
    const Window& first = args_.first;
    const std::size_t floats = edge_floats(args_);
    const float* segments[kMaxFirstTaps];
    for (std::size_t ky = 0; ky < first.kernel_h; ++ky) {
      const float* from = input_row(ky);
      float* row = edges_ + ky * floats;
      if (from != nullptr) {
        zero(row, floats);
        copy_pixels(row, from, begin * first.stride_w);
      }
      segments[ky] = from == nullptr ? nullptr : row;
    }
    convolve(segments, begin, end);
  }

  // Pixels of an input row from `padded_x`, counted with the padding, as far as the edge reaches.
  void copy_pixels(float* to, const float* row, std::size_t padded_x) {
    const Window& first = args_.first;
    const std::size_t reach = (edge_pixels(args_) - 1) * first.stride_w + first.kernel_w;
    const std::size_t zeros = padded_x < first.pad_left ? first.pad_left - padded_x : 0;
    const std::size_t x = padded_x + zeros - first.pad_left;
    if (zeros >= reach || x >= first.in_w) {
      return;
    }
    const std::size_t wanted = reach - zeros;
    const std::size_t there = first.in_w - x;
    copy(to + zeros * args_.in_channels, row + x * args_.in_channels,
         (wanted < there ? wanted : there) * args_.in_channels);
  }

  void convolve_between(std::size_t begin, std::size_t end) {
    const Window& first = args_.first;
    const float* segments[kMaxFirstTaps];
    const std::size_t x = begin * first.stride_w - first.pad_left;
    for (std::size_t ky = 0; ky < first.kernel_h; ++ky) {
      const float* row = input_row(ky);
      segments[ky] = row == nullptr ? nullptr : row + x * args_.in_channels;
    }
    convolve(segments, begin, end);
  }

  void convolve(const float* const* segments, std::size_t begin, std::size_t end) {
    GemmArgs product = expansion(1, args_.first.kernel_w * args_.in_channels);
    product.m = end - begin;
    product.lda = args_.first.stride_w * args_.in_channels;
    product.c += begin * args_.hidden;
    gemm_segments(product, segments, args_.first.kernel_h);
  }

  const float* hidden_row(std::size_t y) const {
    return args_.expand == nullptr ? args_.x + y * hidden_row_floats(args_) : ring_.at(y);
  }

  void filter(std::size_t row, std::size_t count) {
    const DepthwiseArgs depthwise = {.window = args_.window,
                                     .channels = args_.hidden,
                                     .row_begin = 0,
                                     .row_end = 0,
                                     .x = nullptr,
                                     .w = args_.depthwise,
                                     .bias = args_.depthwise_bias,
                                     .y = nullptr,
                                     .lo = args_.lo,
                                     .hi = args_.hi};
    const std::size_t most = args_.window.stride_h == 1 ? kDepthwiseRowsAtOnce : 1;
    for (std::size_t i = 0; i < count;) {
      const std::size_t at_once = count - i < most ? 1 : most;
      DepthwiseRows rows = {};
      rows.out[0] = slice_ + i * slice_row_floats();
      rows.out[1] = rows.out[0] + slice_row_floats();
      for (std::size_t r = 0; r < 4; ++r) {
        const std::size_t padded_y = (row + i) * args_.window.stride_h + r;
        const std::size_t y = padded_y - args_.window.pad_top;
        if (padded_y >= args_.window.pad_top && y < args_.window.in_h) {
          rows.in[r] = hidden_row(y);
        }
      }
      depthwise3x3_rows(depthwise, rows, at_once);
      i += at_once;
    }
  }

  void project(std::size_t row, std::size_t count) {
    const std::size_t pixels = args_.window.out_w;
    const std::size_t first = row * pixels * args_.out_channels;
    gemm({.m = count * pixels,
          .n = args_.out_channels,
          .k = args_.hidden,
          .panel = args_.project_panel,
          .a = slice_,
          .lda = args_.hidden,
          .packed = args_.project,
          .bias = args_.project_bias,
          .residual = args_.residual == nullptr ? nullptr : args_.residual + first,
          .ld_residual = args_.out_channels,
          .c = args_.y + first,
          .ldc = args_.out_channels,
          .lo = args_.project_lo,
          .hi = args_.project_hi});
  }

  const InvertedResidualArgs& args_;
  Ring ring_;
  float* slice_;
  float* edges_;
  std::size_t next_;  // the first hidden row not made yet
};

}  // namespace

std::size_t inverted_residual_scratch(const InvertedResidualArgs& args) {
  const std::size_t slice = args.rows_at_once * args.window.out_w * args.hidden;
  return round_up(ring_rows(args) * hidden_row_floats(args)) + round_up(slice) +
         args.first.kernel_h * edge_floats(args);
}

void inverted_residual(const InvertedResidualArgs& args) { Block(args).run(); }

}  // namespace lamina::kernels::LAMINA_ISA

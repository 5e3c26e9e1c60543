#include "kernels/simd/first_convolution.h"
#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each strip of output columns, for each slice of output rows:
//   for each panel of hidden channels, for each row or two of the slice:
//     expand: the hidden rows that the windows reach and no row before did, into the panel's ring;
//     filter: from the ring into the slice;
//   project: the slice into the output, plus the residual.
// A hidden tensor of up to 4.8 MB becomes rings and a slice that stay in L2, and the ring in use in
// L1 (section 5.1 of the paper cuts by channels too).
namespace lamina::kernels::LAMINA_ISA {
namespace {

constexpr std::size_t kTaps = 3;

// What a ring may take: nearly all of a 48 KB L1. On Zen 5 a ring of 43 KB is still faster than
// rows cut in two or made one at a time.
constexpr std::size_t kRingFloats = 46 * 1024 / sizeof(float);

// Strips narrower than two of the filter's tiles would repeat too many hidden pixels.
constexpr std::size_t kNarrowest = 14;

std::size_t smaller(std::size_t a, std::size_t b) { return a < b ? a : b; }

// How a block is cut; the same for every call with the same shapes.
struct Cut {
  explicit Cut(const InvertedResidualArgs& args) {
    const Window& window = args.window;
    stride = window.stride_h;
    rows = stride == 1 ? smaller(kDepthwiseRowsAtOnce, args.rows_at_once) : 1;
    columns = window.out_w;
    if (args.expand == nullptr) {
      panel_channels = args.hidden;
      return;
    }
    panel_channels = smaller(args.expand_panel * kLanes, args.hidden);
    panels = divide_up(args.hidden, panel_channels);
    if (ring_floats(window) > kRingFloats) {
      rows = 1;
    }
    if (ring_floats(window) > kRingFloats && FirstConvolution::is_pointwise(args)) {
      columns = strip_columns(window.out_w);
    }
  }

  std::size_t ring_rows() const { return (rows - 1) * stride + kTaps; }
  // Whole hidden rows unless they are cut into strips.
  std::size_t hidden_columns(const Window& window) const {
    return columns == window.out_w ? window.in_w
                                   : smaller((columns - 1) * stride + kTaps, window.in_w);
  }
  std::size_t ring_floats(const Window& window) const {
    return round_up(ring_rows() * hidden_columns(window) * panel_channels);
  }

  // Equal strips, as few as fit.
  std::size_t strip_columns(std::size_t out_w) const {
    const std::size_t hidden = kRingFloats / (ring_rows() * panel_channels);
    const std::size_t widest = hidden < kTaps ? 1 : (hidden - kTaps) / stride + 1;
    const std::size_t most = out_w < kNarrowest ? 1 : out_w / kNarrowest;
    return divide_up(out_w, smaller(divide_up(out_w, widest), most));
  }

  std::size_t stride;
  std::size_t rows;     // output rows at once
  std::size_t columns;  // output columns of a strip
  std::size_t panel_channels;
  std::size_t panels = 0;  // with a ring each
};

class Block {
 public:
  explicit Block(const InvertedResidualArgs& args)
      : args_(args),
        cut_(args),
        ring_floats_(cut_.ring_floats(args.window)),
        slice_(args.scratch + cut_.panels * ring_floats_),
        first_(args, slice_ + round_up(args.rows_at_once * cut_.columns * args.hidden)) {}

  void run() {
    const std::size_t columns = args_.window.out_w;
    for (std::size_t x = 0; x < columns; x += cut_.columns) {
      run_strip(x, smaller(x + cut_.columns, columns));
    }
  }

 private:
  void run_strip(std::size_t begin, std::size_t end) {
    const Window& window = args_.window;
    out_begin_ = begin;
    out_columns_ = end - begin;
    const std::size_t padded = begin * cut_.stride;
    const bool whole = out_columns_ == window.out_w;
    pad_left_ = padded < window.pad_left ? window.pad_left - padded : 0;
    x_begin_ = padded + pad_left_ - window.pad_left;
    x_end_ = whole ? window.in_w
                   : smaller((end - 1) * cut_.stride + kTaps - window.pad_left, window.in_w);
    const std::size_t first_row = args_.row_begin * cut_.stride;
    made_ = first_row < window.pad_top ? 0 : first_row - window.pad_top;
    for (std::size_t row = args_.row_begin; row < args_.row_end; row += args_.rows_at_once) {
      run_slice(row, smaller(args_.rows_at_once, args_.row_end - row));
    }
  }

  void run_slice(std::size_t row, std::size_t count) {
    if (args_.expand == nullptr) {
      filter_slice({.begin = 0, .channels = args_.hidden}, nullptr, row, count);
    }
    const std::size_t made = made_;
    for (std::size_t p = 0; p < cut_.panels; ++p) {
      made_ = made;
      const std::size_t begin = p * cut_.panel_channels;
      const HiddenPanel panel = {.begin = begin,
                                 .channels = smaller(cut_.panel_channels, args_.hidden - begin)};
      filter_slice(panel, args_.scratch + p * ring_floats_, row, count);
    }
    project(row, count);
  }

  // The panel's channels of the slice.
  void filter_slice(const HiddenPanel& panel, float* ring, std::size_t row, std::size_t count) {
    for (std::size_t i = 0; i < count;) {
      const std::size_t at_once = count - i < cut_.rows ? 1 : cut_.rows;
      if (ring != nullptr) {
        expand_until(panel, ring,
                     (row + i + at_once - 1) * cut_.stride + kTaps - args_.window.pad_top);
      }
      filter(panel, ring, row + i, at_once, slice_ + i * out_columns_ * args_.hidden);
      i += at_once;
    }
  }

  std::size_t ring_row_floats(const HiddenPanel& panel) const {
    return (x_end_ - x_begin_) * panel.channels;
  }

  // Hidden rows up to, not including, `end`.
  void expand_until(const HiddenPanel& panel, float* ring, std::size_t end) {
    end = smaller(end, args_.window.in_h);
    while (made_ < end) {
      const std::size_t place = made_ % cut_.ring_rows();
      const std::size_t rows = smaller(cut_.ring_rows() - place, end - made_);
      first_.run(panel,
                 {.y_begin = made_, .y_end = made_ + rows, .x_begin = x_begin_, .x_end = x_end_},
                 ring + place * ring_row_floats(panel));
      made_ += rows;
    }
  }

  const float* hidden_row(const HiddenPanel& panel, const float* ring, std::size_t y) const {
    if (ring == nullptr) {
      return args_.x + (y * args_.window.in_w + x_begin_) * args_.hidden;
    }
    return ring + y % cut_.ring_rows() * ring_row_floats(panel);
  }

  void filter(const HiddenPanel& panel, const float* ring, std::size_t row, std::size_t count,
              float* to) const {
    const Window& window = args_.window;
    const float* bias = args_.depthwise_bias;
    float* out = to + panel.begin;
    DepthwiseRows rows = {.in = {},
                          .in_w = x_end_ - x_begin_,
                          .in_pixel = panel.channels,
                          .out = {out, out + out_columns_ * args_.hidden},
                          .out_w = out_columns_,
                          .out_pixel = args_.hidden,
                          .stride = cut_.stride,
                          .pad_left = pad_left_,
                          .channels = panel.channels,
                          .w = args_.depthwise + panel.begin,
                          .w_tap = static_cast<std::ptrdiff_t>(args_.hidden),
                          .bias = bias == nullptr ? nullptr : bias + panel.begin,
                          .lo = args_.lo,
                          .hi = args_.hi};
    for (std::size_t r = 0; r < 4; ++r) {
      const std::size_t padded = row * cut_.stride + r;
      const std::size_t y = padded - window.pad_top;
      if (padded >= window.pad_top && y < window.in_h) {
        rows.in[r] = hidden_row(panel, ring, y);
      }
    }
    depthwise3x3_rows(rows, count);
  }

  void project(std::size_t row, std::size_t count) const {
    const std::size_t width = args_.window.out_w;
    if (out_columns_ == width) {
      project_pixels(row * width, count * width, slice_);
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      project_pixels((row + i) * width + out_begin_, out_columns_,
                     slice_ + i * out_columns_ * args_.hidden);
    }
  }

  void project_pixels(std::size_t pixel, std::size_t count, const float* filtered) const {
    const std::size_t first = pixel * args_.out_channels;
    gemm({.m = count,
          .n = args_.out_channels,
          .k = args_.hidden,
          .panel = args_.project_panel,
          .a = filtered,
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
  Cut cut_;
  std::size_t ring_floats_;
  float* slice_;
  FirstConvolution first_;
  // Of the strip:
  std::size_t out_begin_ = 0, out_columns_ = 0;
  std::size_t x_begin_ = 0, x_end_ = 0;  // hidden pixels
  std::size_t pad_left_ = 0;
  std::size_t made_ = 0;  // the first hidden row not made yet
};

}  // namespace

std::size_t inverted_residual_scratch(const InvertedResidualArgs& args) {
  const Cut cut(args);
  return cut.panels * cut.ring_floats(args.window) +
         round_up(args.rows_at_once * cut.columns * args.hidden) +
         FirstConvolution::scratch_floats(args);
}

void inverted_residual(const InvertedResidualArgs& args) { Block(args).run(); }

}  // namespace lamina::kernels::LAMINA_ISA

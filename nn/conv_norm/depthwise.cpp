#include <algorithm>

#include "nn/conv_norm/rows.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/conv2d.h"

// A band of an image's rows, or several small images, go through a depthwise convolution while they
// are in cache. Backward: the band's part of the gradient of the convolution's result, with the
// rows around it that the band's input reaches; from it and the normalized source the gradients of
// weight and source.
namespace lamina::nn {
namespace {

constexpr std::size_t kKernel = 3;
constexpr std::size_t kTaps = kKernel * kKernel;

// Rows [begin, end) of an image.
struct Rows {
  std::size_t begin, end;
  std::size_t count() const { return end - begin; }
};

// Those output rows of `count` images; of more than one image all rows.
struct Band {
  std::size_t image, count;
  Rows out;
};

class DepthwiseLayer : public ChainLayer {
 public:
  DepthwiseLayer(const kernels::KernelTable& kernels, const ConvNorm& layer, const Shape& x)
      : kernels_(kernels),
        weight_(layer.weight),
        taps_(channels_last(layer.weight)),
        window_(conv2d_window(x, layer.weight.shape(), layer.options)),
        images_(x[0]),
        channels_(x[3]),
        band_(band_rows(window_, channels_)),
        bands_(divide_up(window_.out_h, band_)),
        together_(bands_ > 1 ? 1
                             : std::clamp<std::size_t>(kRunFloats / image_floats(), 1, images_)),
        cut_(cut_tasks(images_ * bands_, kTaps * channels_, images_ * window_.out_h * out_row())) {}

  std::size_t tasks() const override { return cut_.tasks; }
  Shape output() const override { return {images_, window_.out_h, window_.out_w, channels_}; }

  void forward(const ChainSource& source, Tensor& z, ChainMoments* moments) const override {
    float* const to = z.data();
    for_each_band([&](std::size_t task, float* scratch, const Band& band) {
      const Rows in = read_by(band.out);
      float* const y = to + pixel(band, window_.out_h, window_.out_w, band.out.begin) * channels_;
      const float* const x = read(source, band, in, scratch);
      for (std::size_t i = 0; i < band.count; ++i) {
        kernels_.depthwise3x3({.window = band_window(in, band.out),
                               .channels = channels_,
                               .row_begin = 0,
                               .row_end = band.out.count(),
                               .x = x + i * in.count() * in_row(),
                               .w = taps_.data(),
                               .bias = nullptr,
                               .y = y + i * band.out.count() * out_row(),
                               .lo = kNoBounds.lo,
                               .hi = kNoBounds.hi});
      }
      if (moments != nullptr) {
        moments->add(kernels_, task, y, band.count * band.out.count() * window_.out_w);
      }
    });
  }

  Tensor backward(const ChainSource& source, const ChainUpstream& up,
                  ChainDownstream& down) const override {
    Tensor parts = Tensor::uninitialized({cut_.tasks, kTaps * channels_});
    fill_zero(parts);
    float* const part = parts.data();
    float* const dx = down.dx.data();
    for_each_band([&](std::size_t task, float* scratch, const Band& band) {
      const Rows owned = owned_by(band.out);
      const Rows reached = dx == nullptr ? band.out : reaching(owned, band.out);
      float* const dz = scratch + together_ * max_in_rows() * in_row();
      gradient_rows(kernels_, up, pixel(band, window_.out_h, window_.out_w, reached.begin),
                    band.count * reached.count() * window_.out_w, dz);
      weight_gradient(source, band, reached, dz, scratch, part + task * kTaps * channels_);
      if (dx != nullptr) {
        const std::size_t first = pixel(band, window_.in_h, window_.in_w, owned.begin);
        input_gradient(band, owned, reached, dz, dx + first * channels_);
        add_norm_sums(kernels_, source, dx, first, band.count * owned.count() * window_.in_w,
                      down.sums, task);
      }
    });
    return combined(parts);
  }

 private:
  static constexpr Bounds kNoBounds = {};

  std::size_t in_row() const { return window_.in_w * channels_; }
  std::size_t out_row() const { return window_.out_w * channels_; }
  // What is worked on for an image at a time.
  std::size_t image_floats() const {
    return 2 * window_.in_h * in_row() + window_.out_h * out_row();
  }

  // Output rows whose source, gradient and result fit in cache together.
  static std::size_t band_rows(const kernels::Window& window, std::size_t channels) {
    const std::size_t row = (2 * window.stride_h * window.in_w + window.out_w) * channels;
    const std::size_t around = (kKernel - 1) * (window.in_w + window.out_w) * channels;
    const std::size_t room = kRunFloats > around ? kRunFloats - around : 0;
    return std::clamp<std::size_t>(room / row, std::min<std::size_t>(4, window.out_h),
                                   window.out_h);
  }

  std::size_t max_in_rows() const {
    return std::min(window_.in_h, (band_ - 1) * window_.stride_h + kKernel + window_.stride_h);
  }
  std::size_t max_reached_rows() const { return std::min(window_.out_h, band_ + kKernel - 1); }

  // Where row `row` of a band's first image begins among all images of those extents.
  static std::size_t pixel(const Band& band, std::size_t rows, std::size_t width, std::size_t row) {
    return (band.image * rows + row) * width;
  }

  // visit(task, scratch for the source's rows and then the gradient's, band)
  template <class Visit>
  void for_each_band(const Visit& visit) const {
    parallel_for(cut_.tasks, [&](std::size_t task) {
      Tensor scratch = Tensor::uninitialized(
          {together_ * (max_in_rows() * in_row() + max_reached_rows() * out_row())});
      const std::size_t end = cut_.end(task);
      for (std::size_t unit = cut_.begin(task); unit < end; unit += together_) {
        const std::size_t begin = unit % bands_ * band_;
        visit(task, scratch.data(),
              Band{.image = unit / bands_,
                   .count = std::min(together_, end - unit),
                   .out = {begin, std::min(window_.out_h, begin + band_)}});
      }
    });
  }

  // The input rows that those output rows read: every input row with one band.
  Rows read_by(Rows out) const {
    if (bands_ == 1) {
      return {0, window_.in_h};
    }
    const std::size_t first = out.begin * window_.stride_h;
    const std::size_t end = (out.end - 1) * window_.stride_h + kKernel;
    return {first - std::min(first, window_.pad_top),
            std::min(window_.in_h, end - std::min(end, window_.pad_top))};
  }

  // The input rows whose gradient goes with those output rows: every input row with one band.
  Rows owned_by(Rows out) const {
    return {std::min(window_.in_h, out.begin * window_.stride_h),
            out.end == window_.out_h ? window_.in_h
                                     : std::min(window_.in_h, out.end * window_.stride_h)};
  }

  // The output rows that read those input rows, and those of the band itself.
  Rows reaching(Rows in, Rows out) const {
    const std::size_t stride = window_.stride_h;
    const std::size_t padded = in.begin + window_.pad_top;
    const std::size_t first = padded < kKernel ? 0 : divide_up(padded - (kKernel - 1), stride);
    const std::size_t end = (in.end - 1 + window_.pad_top) / stride + 1;
    return {std::min(first, out.begin), std::min(window_.out_h, std::max(end, out.end))};
  }

  const float* read(const ChainSource& source, const Band& band, Rows in, float* scratch) const {
    return read_rows(kernels_, source, pixel(band, window_.in_h, window_.in_w, in.begin),
                     band.count * in.count() * window_.in_w, scratch);
  }

  // The window from those input rows to those output rows, each taken for an image.
  kernels::Window band_window(Rows in, Rows out) const {
    kernels::Window window = window_;
    window.in_h = in.count();
    window.out_h = out.count();
    window.pad_top = window_.pad_top + in.begin - out.begin * window_.stride_h;
    return window;
  }

  void weight_gradient(const ChainSource& source, const Band& band, Rows reached, const float* dz,
                       float* scratch, float* dw) const {
    const Rows in = read_by(band.out);
    const float* const x = read(source, band, in, scratch);
    dz += (band.out.begin - reached.begin) * out_row();
    for (std::size_t i = 0; i < band.count; ++i) {
      kernels_.gradients.depthwise3x3_weight({.window = band_window(in, band.out),
                                              .channels = channels_,
                                              .row_begin = 0,
                                              .row_end = band.out.count(),
                                              .x = x + i * in.count() * in_row(),
                                              .dy = dz + i * reached.count() * out_row(),
                                              .dw = dw});
    }
  }

  void input_gradient(const Band& band, Rows in, Rows reached, const float* dz, float* dx) const {
    for (std::size_t i = 0; i < band.count; ++i) {
      kernels_.gradients.depthwise3x3_input({.window = band_window(in, reached),
                                             .channels = channels_,
                                             .row_begin = 0,
                                             .row_end = in.count(),
                                             .dy = dz + i * reached.count() * out_row(),
                                             .w = taps_.data(),
                                             .dx = dx + i * in.count() * in_row()});
    }
  }

  // The sum of the tasks' gradients, as the weight lies.
  Tensor combined(const Tensor& parts) const {
    Tensor taps = Tensor::uninitialized({kTaps, channels_});
    combine(parts.data(), cut_.tasks, kTaps * channels_, taps.data());
    Tensor dw = Tensor::uninitialized(weight_.shape());
    const float* from = std::as_const(taps).data();
    float* to = dw.data();
    for (std::size_t c = 0; c < channels_; ++c) {
      for (std::size_t tap = 0; tap < kTaps; ++tap) {
        to[c * kTaps + tap] = from[tap * channels_ + c];
      }
    }
    return dw;
  }

  const kernels::KernelTable& kernels_;
  const Tensor& weight_;
  Tensor taps_;  // [3, 3, C]
  kernels::Window window_;
  std::size_t images_, channels_;
  std::size_t band_, bands_;  // output rows in a band, bands of an image
  std::size_t together_;      // images that go together where they are one band
  TaskCut cut_;
};

}  // namespace

std::unique_ptr<ChainLayer> make_depthwise_layer(const kernels::KernelTable& kernels,
                                                 const ConvNorm& layer, const Shape& x) {
  return std::make_unique<DepthwiseLayer>(kernels, layer, x);
}

}  // namespace lamina::nn

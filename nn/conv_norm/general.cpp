#include <algorithm>

#include "nn/conv_norm/rows.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/conv2d.h"
#include "nn/ops/gemm.h"

// The first layer of a chain: im2col of some pixels, then as a 1x1 convolution. An image stays with
// one task, which adds up the gradient of its pixels.
namespace lamina::nn {
namespace {

constexpr std::size_t kMaxRun = 252;

class GeneralLayer : public ChainLayer {
 public:
  GeneralLayer(const kernels::KernelTable& kernels, const ConvNorm& layer, const Shape& x)
      : kernels_(kernels),
        weight_(layer.weight),
        window_(conv2d_window(x, layer.weight.shape(), layer.options)),
        images_(x[0]),
        in_(x[3]),
        out_(weight_.shape()[0]),
        k_(weight_.size() / out_),
        pixels_(window_.out_h * window_.out_w),
        run_(divide_up(pixels_, divide_up(pixels_, kMaxRun))),
        cut_(cut_tasks(images_, out_ * k_, images_ * pixels_ * out_)) {}

  std::size_t tasks() const override { return cut_.tasks; }
  Shape output() const override { return {images_, window_.out_h, window_.out_w, out_}; }

  void forward(const ChainSource& source, Tensor& z, ChainMoments* moments) const override {
    const PackedWeights weights(kernels_, {.values = weight_.data(), .n = out_, .k = k_});
    float* const to = z.data();
    for_each_run([&](const Run& run) {
      im2col(source, run);
      float* const c = to + run.row * out_;
      kernels::GemmArgs args =
          weights.block({.m = run.count, .a = run.columns, .lda = k_, .c = c, .ldc = out_}, 0, 0,
                        run.count, 0, weights.panels());
      const Ahead ahead = pixels_ahead(source, run);
      args.ahead = ahead.values;
      args.ahead_floats = ahead.floats;
      kernels_.gemm(args);
      if (moments != nullptr) {
        moments->add(kernels_, run.task, c, run.count);
      }
    });
  }

  Tensor backward(const ChainSource& source, const ChainUpstream& up,
                  ChainDownstream& down) const override {
    Tensor parts = Tensor::uninitialized({cut_.tasks, out_ * k_});
    fill_zero(parts);
    float* const part = parts.data();
    for_each_run([&](const Run& run) {
      gradient_rows(kernels_, up, run.row, run.count, run.gradient);
      im2col(source, run);
      const Ahead ahead = pixels_ahead(source, run);
      kernels_.gradients.gemm_tn({.m = out_,
                                  .n = k_,
                                  .k = run.count,
                                  .a = run.gradient,
                                  .lda = out_,
                                  .b = run.columns,
                                  .ldb = k_,
                                  .c = part + run.task * out_ * k_,
                                  .ldc = k_,
                                  .ahead = ahead.values,
                                  .ahead_floats = ahead.floats});
    });
    if (!down.dx.empty()) {
      input_gradient(up, down.dx);
    }
    Tensor dw = Tensor::uninitialized(weight_.shape());
    combine(parts.data(), cut_.tasks, out_ * k_, dw.data());
    return dw;
  }

 private:
  struct Run {
    std::size_t task, image;
    std::size_t pixel, count;  // in the image
    std::size_t row;           // of all images' pixels
    float* columns;            // [count, k], scratch
    float* gradient;           // [count, out], scratch
  };

  template <class Visit>
  void for_each_run(const Visit& visit) const {
    parallel_for(cut_.tasks, [&](std::size_t task) {
      Tensor scratch = Tensor::uninitialized({run_, k_ + out_});
      float* const columns = scratch.data();
      for (std::size_t image = cut_.begin(task); image < cut_.end(task); ++image) {
        for (std::size_t pixel = 0; pixel < pixels_; pixel += run_) {
          visit(Run{.task = task,
                    .image = image,
                    .pixel = pixel,
                    .count = std::min(run_, pixels_ - pixel),
                    .row = image * pixels_ + pixel,
                    .columns = columns,
                    .gradient = columns + run_ * k_});
        }
      }
    });
  }

  std::size_t image_floats() const { return window_.in_h * window_.in_w * in_; }

  void im2col(const ChainSource& source, const Run& run) const {
    kernels_.im2col({.window = window_,
                     .channels = in_,
                     .pixel_begin = run.pixel,
                     .pixel_end = run.pixel + run.count,
                     .x = source.values.data() + run.image * image_floats(),
                     .ldx = in_,
                     .columns = run.columns});
  }

  // About what the next run reads.
  Ahead pixels_ahead(const ChainSource& source, const Run& run) const {
    const std::size_t per_run = image_floats() * run_ / pixels_;
    const std::size_t first = (run.row + run.count) * image_floats() / pixels_;
    return {source.values.data() + first, std::min(per_run, source.values.size() - first)};
  }

  void input_gradient(const ChainUpstream& up, Tensor& dx) const {
    const PackedWeights weights(
        kernels_,
        {.values = weight_.data(), .n = k_, .k = out_, .orientation = Orientation::by_input});
    fill_zero(dx);
    float* const to = dx.data();
    for_each_run([&](const Run& run) {
      gradient_rows(kernels_, up, run.row, run.count, run.gradient);
      kernels_.gemm(weights.block(
          {.m = run.count, .a = run.gradient, .lda = out_, .c = run.columns, .ldc = k_}, 0, 0,
          run.count, 0, weights.panels()));
      kernels_.gradients.col2im({.window = window_,
                                 .channels = in_,
                                 .pixel_begin = run.pixel,
                                 .pixel_end = run.pixel + run.count,
                                 .columns = run.columns,
                                 .x = to + run.image * image_floats(),
                                 .ldx = in_});
    });
  }

  const kernels::KernelTable& kernels_;
  const Tensor& weight_;
  kernels::Window window_;
  std::size_t images_, in_, out_;
  std::size_t k_, pixels_;
  std::size_t run_;  // pixels
  TaskCut cut_;
};

}  // namespace

std::unique_ptr<ChainLayer> make_general_layer(const kernels::KernelTable& kernels,
                                               const ConvNorm& layer, const Shape& x) {
  return std::make_unique<GeneralLayer>(kernels, layer, x);
}

}  // namespace lamina::nn

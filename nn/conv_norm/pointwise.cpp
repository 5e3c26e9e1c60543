#include <utility>

#include "nn/conv_norm/rows.h"
#include "nn/ops/block_sums.h"
#include "nn/ops/gemm.h"
#include "nn/ops/gemm_gradient.h"

// A run of rows goes through a product while it is in cache: read and normalize, multiply, sum.
// Backward: gradient of the convolution's result, its product with the weights, the sums of the
// source's norm, and the product of the two runs, which is the run's part of the weight's gradient.
namespace lamina::nn {
namespace {

// A product with few rows has weights larger than its rows: it is cut by weights. The passes over
// the rows before and after find them in L2 or L3.
constexpr std::size_t kFewRows = 512;
constexpr std::size_t kFewRowsTasks = 8;
constexpr std::size_t kMaxRun = 252;
constexpr std::size_t kRunStep = 28;  // a multiple of most tiles' heights

class PointwiseLayer : public ChainLayer {
 public:
  PointwiseLayer(const kernels::KernelTable& kernels, const ConvNorm& layer, const Shape& x)
      : kernels_(kernels),
        weight_(layer.weight),
        output_{x[0], x[1], x[2], layer.weight.shape()[0]},
        rows_(x[0] * x[1] * x[2]),
        in_(x[3]),
        out_(output_[3]),
        run_(has_few_rows() ? divide_up(rows_, kFewRowsTasks) : run_rows(in_, out_)),
        cut_(cut_tasks(divide_up(rows_, run_), has_few_rows() ? 1 : in_ * out_, rows_ * out_)) {}

  std::size_t tasks() const override { return cut_.tasks; }
  Shape output() const override { return output_; }

  void forward(const ChainSource& source, Tensor& z, ChainMoments* moments) const override {
    if (has_few_rows()) {
      return forward_by_weights(source, z, moments);
    }
    const PackedWeights weights(kernels_, {.values = weight_.data(), .n = out_, .k = in_});
    float* const to = z.data();
    for_each_run([&](std::size_t task, float* scratch, std::size_t begin, std::size_t rows) {
      const float* a = read_rows(kernels_, source, begin, rows, scratch);
      multiply(weights, {.m = rows, .a = a, .lda = in_, .c = to + begin * out_, .ldc = out_},
               rows_ahead(in_ > out_ ? source.values : std::as_const(z), begin + rows, run_));
      if (moments != nullptr) {
        moments->add(kernels_, task, to + begin * out_, rows);
      }
    });
  }

  Tensor backward(const ChainSource& source, const ChainUpstream& up,
                  ChainDownstream& down) const override {
    return has_few_rows() ? backward_by_weights(source, up, down)
                          : backward_by_rows(source, up, down);
  }

 private:
  static std::size_t run_rows(std::size_t in, std::size_t out) {
    const std::size_t rows = kRunFloats / (2 * in + out) / kRunStep * kRunStep;
    return std::clamp(rows, kRunStep, kMaxRun);
  }
  bool has_few_rows() const { return rows_ <= kFewRows; }

  // run(task, scratch for the run's source and then its gradient, first row, rows)
  template <class Run>
  void for_each_run(const Run& run) const {
    parallel_for(cut_.tasks, [&](std::size_t task) {
      Tensor scratch = Tensor::uninitialized({run_, in_ + out_});
      for (std::size_t unit = cut_.begin(task); unit < cut_.end(task); ++unit) {
        const std::size_t begin = unit * run_;
        run(task, scratch.data(), begin, std::min(run_, rows_ - begin));
      }
    });
  }

  Tensor backward_by_rows(const ChainSource& source, const ChainUpstream& up,
                          ChainDownstream& down) const {
    const PackedWeights weights(
        kernels_,
        {.values = weight_.data(), .n = in_, .k = out_, .orientation = Orientation::by_input});
    Tensor parts = Tensor::uninitialized({cut_.tasks, out_ * in_});
    fill_zero(parts);
    float* const part = parts.data();
    float* const dx = down.dx.data();
    for_each_run([&](std::size_t task, float* scratch, std::size_t begin, std::size_t rows) {
      float* const dz = scratch + run_ * in_;
      gradient_rows(kernels_, up, begin, rows, dz);
      const float* a = read_rows(kernels_, source, begin, rows, scratch);
      const std::size_t next = begin + rows;
      const bool wide_source = in_ > 2 * out_;
      add_products(dz, a, rows, part + task * out_ * in_,
                   rows_ahead(wide_source ? up.z : up.dy, next, run_));
      if (dx != nullptr) {
        multiply_turned(weights, dz, rows, dx + begin * in_,
                        rows_ahead(wide_source ? source.values : up.z, next, run_));
        add_norm_sums(kernels_, source, dx, begin, rows, down.sums, task);
      }
    });
    Tensor dw = Tensor::uninitialized(weight_.shape());
    combine(parts.data(), cut_.tasks, out_ * in_, dw.data());
    return dw;
  }

  void forward_by_weights(const ChainSource& source, Tensor& z, ChainMoments* moments) const {
    const Tensor a = normalized(source);
    float* const to = z.data();
    nn::multiply(kernels_, {.values = weight_.data(), .n = out_, .k = in_},
                 {.m = rows_, .a = a.data(), .lda = in_, .c = to, .ldc = out_});
    if (moments != nullptr) {
      for_each_task([&](std::size_t task, std::size_t begin, std::size_t rows) {
        moments->add(kernels_, task, to + begin * out_, rows);
      });
    }
  }

  Tensor backward_by_weights(const ChainSource& source, const ChainUpstream& up,
                             ChainDownstream& down) const {
    Tensor gradient = Tensor::uninitialized({rows_, out_});
    float* const dz = gradient.data();
    for_each_task([&](std::size_t, std::size_t begin, std::size_t rows) {
      gradient_rows(kernels_, up, begin, rows, dz + begin * out_);
    });
    const ProductShape shape{.rows = rows_, .in = in_, .out = out_};
    if (const float* const dx = down.dx.data()) {
      product_input_gradient(kernels_, shape, gradient, weight_, down.dx);
      for_each_task([&](std::size_t task, std::size_t begin, std::size_t rows) {
        add_norm_sums(kernels_, source, dx, begin, rows, down.sums, task);
      });
    }
    Tensor dw = Tensor::uninitialized(weight_.shape());
    product_weight_gradient(kernels_, shape, normalized(source), gradient, dw);
    return dw;
  }

  // All rows of the source.
  Tensor normalized(const ChainSource& source) const {
    if (source.norm == nullptr) {
      return source.values;
    }
    Tensor all = Tensor::uninitialized(source.values.shape());
    float* const to = all.data();
    for_each_task([&](std::size_t, std::size_t begin, std::size_t rows) {
      read_rows(kernels_, source, begin, rows, to + begin * in_);
    });
    return all;
  }

  // visit(task, first row, rows)
  template <class Visit>
  void for_each_task(const Visit& visit) const {
    parallel_for(cut_.tasks, [&](std::size_t task) {
      const std::size_t begin = cut_.begin(task) * run_;
      visit(task, begin, std::min(rows_, cut_.end(task) * run_) - begin);
    });
  }

  // dx = dz W
  void multiply_turned(const PackedWeights& weights, const float* dz, std::size_t rows, float* dx,
                       const Ahead& ahead) const {
    multiply(weights, {.m = rows, .a = dz, .lda = out_, .c = dx, .ldc = in_}, ahead);
  }

  void multiply(const PackedWeights& weights, const Product& product, const Ahead& ahead) const {
    kernels::GemmArgs args = weights.block(product, 0, 0, product.m, 0, weights.panels());
    args.ahead = ahead.values;
    args.ahead_floats = ahead.floats;
    kernels_.gemm(args);
  }

  // dW += dz^T a
  void add_products(const float* dz, const float* a, std::size_t rows, float* dw,
                    const Ahead& ahead) const {
    kernels_.gradients.gemm_tn({.m = out_,
                                .n = in_,
                                .k = rows,
                                .a = dz,
                                .lda = out_,
                                .b = a,
                                .ldb = in_,
                                .c = dw,
                                .ldc = in_,
                                .ahead = ahead.values,
                                .ahead_floats = ahead.floats});
  }

  const kernels::KernelTable& kernels_;
  const Tensor& weight_;
  Shape output_;
  std::size_t rows_, in_, out_;
  std::size_t run_;
  TaskCut cut_;
};

}  // namespace

std::unique_ptr<ChainLayer> make_pointwise_layer(const kernels::KernelTable& kernels,
                                                 const ConvNorm& layer, const Shape& x) {
  return std::make_unique<PointwiseLayer>(kernels, layer, x);
}

}  // namespace lamina::nn

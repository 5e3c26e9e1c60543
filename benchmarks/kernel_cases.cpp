#include "benchmarks/kernel_cases.h"

#include <algorithm>

#include "core/random.h"

namespace lamina::benchmarks {
namespace {

struct Product {
  std::size_t m, n, k;
};

// The classifier's input [N, C] and a 1x1 convolution's [N, H, W, C] are both matrices.
Product product_of(const LayerInfo& layer) {
  const std::size_t k = layer.input[layer.input.rank() - 1];
  return {layer.input.size() / k, layer.output[layer.output.rank() - 1], k};
}

Tensor packed_weights(const Tensor& weights, const KernelTable& table) {
  const std::size_t n = weights.shape()[0];
  const std::size_t k = weights.shape()[1];
  Tensor packed = Tensor::zeros({table.packed_size(n, k)});
  table.pack({.n = n,
              .k = k,
              .panel = table.best_panel(n),
              .b = weights.data(),
              .stride_n = k,
              .stride_k = 1,
              .packed = packed.data()});
  return packed;
}

kernels::GemmArgs gemm_args(Product p, const Tensor& a, const Tensor& packed, Tensor& c,
                            const KernelTable& table) {
  return {.m = p.m,
          .n = p.n,
          .k = p.k,
          .panel = table.best_panel(p.n),
          .a = a.data(),
          .lda = p.k,
          .packed = packed.data(),
          .bias = nullptr,
          .residual = nullptr,
          .ld_residual = 0,
          .c = c.data(),
          .ldc = p.n,
          .lo = -1.0f,
          .hi = 1.0f};
}

double operations_of(const LayerInfo& layer) {
  return 2.0 * static_cast<double>(layer.multiply_adds);
}

std::size_t taps(const LayerInfo& layer) {
  return layer.kernel.h * layer.kernel.w * layer.input[3];
}

}  // namespace

kernels::Window window_of(const LayerInfo& layer) {
  const nn::Conv2dOptions& options = layer.options;
  return {.in_h = layer.input[1],
          .in_w = layer.input[2],
          .out_h = layer.output[1],
          .out_w = layer.output[2],
          .kernel_h = layer.kernel.h,
          .kernel_w = layer.kernel.w,
          .stride_h = options.stride.h,
          .stride_w = options.stride.w,
          .dilation_h = options.dilation.h,
          .dilation_w = options.dilation.w,
          .pad_top = options.padding.top,
          .pad_left = options.padding.left};
}

Tensor random_tensor(const Shape& shape) {
  Rng rng(shape.size());
  Tensor tensor = Tensor::uninitialized(shape);
  std::ranges::generate(tensor.values(), [&rng] { return rng.uniform(-1.0f, 1.0f); });
  return tensor;
}

double bytes_of(std::initializer_list<const Tensor*> arrays) {
  double bytes = 0.0;
  for (const Tensor* array : arrays) {
    bytes += static_cast<double>(array->size() * sizeof(float));
  }
  return bytes;
}

GemmCase::GemmCase(const LayerInfo& layer, const KernelTable& table) : table_(table) {
  const Product p = product_of(layer);
  a_ = random_tensor({p.m, p.k});
  weights_ = random_tensor({p.n, p.k});
  packed_ = packed_weights(weights_, table);
  bias_ = random_tensor({p.n});
  c_ = Tensor::zeros({p.m, p.n});
  args_ = gemm_args(p, a_, packed_, c_, table);
  args_.bias = bias_.data();
}

std::string GemmCase::shape(const LayerInfo& layer) {
  const Product p = product_of(layer);
  return text(p.m, 'x', p.k, 'x', p.n);
}

double GemmCase::operations() const {
  return 2.0 * static_cast<double>(args_.m) * static_cast<double>(args_.n) *
         static_cast<double>(args_.k);
}

PackCase::PackCase(const LayerInfo& layer, const KernelTable& table) : table_(table) {
  const Product p = product_of(layer);
  weights_ = random_tensor({p.n, p.k});
  packed_ = packed_weights(weights_, table);
  sums_ = Tensor::zeros({1, p.n});
  const Tensor ones = Tensor::full({1, p.k}, 1.0f);
  kernels::GemmArgs product = gemm_args({1, p.n, p.k}, ones, packed_, sums_, table);
  product.lo = -1e9f;
  product.hi = 1e9f;
  table.gemm(product);
  args_ = {.n = p.n,
           .k = p.k,
           .panel = table.best_panel(p.n),
           .b = weights_.data(),
           .stride_n = p.k,
           .stride_k = 1,
           .packed = packed_.data()};
}

std::string PackCase::shape(const LayerInfo& layer) {
  const Product p = product_of(layer);
  return text(p.k, 'x', p.n);
}

Im2colCase::Im2colCase(const LayerInfo& layer, const KernelTable& table)
    : table_(table),
      x_(random_tensor(layer.input)),
      columns_(Tensor::zeros({layer.output[1] * layer.output[2], taps(layer)})),
      args_{.window = window_of(layer),
            .channels = layer.input[3],
            .pixel_begin = 0,
            .pixel_end = layer.output[1] * layer.output[2],
            .x = x_.data(),
            .ldx = layer.input[3],
            .columns = columns_.data()} {}

std::string Im2colCase::shape(const LayerInfo& layer) {
  return text(layer.input[1], 'x', layer.input[2], 'x', layer.input[3], 'k', layer.kernel.h, 's',
              layer.options.stride.h, 'x', layer.output[3]);
}

ImageConvolutionCase::ImageConvolutionCase(const LayerInfo& layer, const KernelTable& table)
    : table_(table), im2col_(layer, table), operations_(operations_of(layer)) {
  const Product p = {layer.output[1] * layer.output[2], layer.output[3], taps(layer)};
  packed_ = packed_weights(random_tensor({p.n, p.k}), table);
  c_ = Tensor::zeros({p.m, p.n});
  args_ = gemm_args(p, c_, packed_, c_, table);
  args_.a = im2col_.args().columns;
}

void ImageConvolutionCase::run() {
  im2col_.run();
  table_.gemm(args_);
}

template <auto kernel>
DepthwiseCaseOf<kernel>::DepthwiseCaseOf(const LayerInfo& layer, const KernelTable& table)
    : table_(table),
      x_(random_tensor(layer.input)),
      w_(random_tensor({layer.kernel.h, layer.kernel.w, layer.input[3]})),
      bias_(random_tensor({layer.input[3]})),
      y_(Tensor::zeros(layer.output)),
      args_{.window = window_of(layer),
            .channels = layer.input[3],
            .row_begin = 0,
            .row_end = layer.output[1],
            .x = x_.data(),
            .w = w_.data(),
            .bias = bias_.data(),
            .y = y_.data(),
            .lo = 0.0f,
            .hi = 6.0f},
      operations_(operations_of(layer)) {}

template class DepthwiseCaseOf<&KernelTable::depthwise3x3>;
template class DepthwiseCaseOf<&KernelTable::depthwise>;

void AddPass::run(const KernelTable& table, PassCase<AddPass>& on) {
  table.add({.count = on.rows() * on.channels(),
             .a = on.x(),
             .b = on.x(),
             .y = on.y(),
             .lo = -1.0f,
             .hi = 1.0f});
}

void ClampPass::run(const KernelTable& table, PassCase<ClampPass>& on) {
  table.clamp({.count = on.rows() * on.channels(), .x = on.x(), .y = on.y(), .lo = 0, .hi = 0.5f});
}

void ScaleShiftPass::run(const KernelTable& table, PassCase<ScaleShiftPass>& on) {
  table.scale_shift({.rows = on.rows(),
                     .channels = on.channels(),
                     .x = on.x(),
                     .scale = on.scale(),
                     .shift = on.scale(),
                     .y = on.y(),
                     .lo = 0.0f,
                     .hi = 6.0f});
}

void MeanPass::run(const KernelTable& table, PassCase<MeanPass>& on) {
  table.mean_rows({.rows = on.rows(),
                   .channels = on.channels(),
                   .x = on.x(),
                   .ldx = on.channels(),
                   .y = on.y()});
}

void SoftmaxPass::run(const KernelTable& table, PassCase<SoftmaxPass>& on) {
  table.softmax({.rows = on.rows(), .n = on.channels(), .x = on.x(), .y = on.y()});
}

}  // namespace lamina::benchmarks

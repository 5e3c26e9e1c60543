#include "nn/ops/conv2d.h"
#include "nn/ops/gemm_gradient.h"

namespace lamina::nn {
namespace {

ProductShape product_shape(const ConvolutionGradient& gradient) {
  const std::size_t out = gradient.out_channels();
  return {.rows = gradient.dy.size() / out, .in = gradient.in_channels(), .out = out};
}

}  // namespace

Tensor pointwise_input_gradient(const ConvolutionGradient& gradient, const Tensor& w) {
  Tensor dx = Tensor::uninitialized(gradient.x);
  product_input_gradient(gradient.kernels, product_shape(gradient), gradient.dy, w, dx);
  return dx;
}

Tensor pointwise_weight_gradient(const ConvolutionGradient& gradient, const Tensor& x) {
  Tensor dw = Tensor::uninitialized(gradient.w);
  product_weight_gradient(gradient.kernels, product_shape(gradient), x, gradient.dy, dw);
  return dw;
}

}  // namespace lamina::nn

#include "nn/kernels.h"
#include "nn/ops/conv2d.h"
#include "nn/ops/gemm.h"

namespace lamina::nn {
namespace {

void convolve(const Convolution& convolution, Tensor& y) {
  const auto& [kernels, x, w, bias, window, groups, bounds] = convolution;
  const std::size_t in = convolution.in_channels();
  const std::size_t out = convolution.out_channels();
  multiply(kernels, {.values = w.data(), .n = out, .k = in},
           {.m = x.size() / in,
            .a = x.data(),
            .lda = in,
            .bias = bias,
            .c = y.data(),
            .ldc = out,
            .bounds = bounds});
}

}  // namespace

const ConvolutionPath kPointwise = {.convolve = convolve,
                                    .input_gradient = pointwise_input_gradient,
                                    .weight_gradient = pointwise_weight_gradient};

}  // namespace lamina::nn

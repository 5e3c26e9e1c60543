#include "nn/plan/layer_rules.h"

#include <algorithm>

#include "nn/ops/conv2d.h"

namespace lamina::nn {
namespace {

bool is_convolution(const FusedLayer& layer) { return layer.kind == FusedLayer::Kind::convolution; }

}  // namespace

kernels::Window window_of(const FusedLayer& layer) {
  return conv2d_window(layer.in, layer.weight.shape(), layer.options);
}

bool is_product(const FusedLayer& layer) {
  return is_convolution(layer) && is_pointwise(window_of(layer), layer.options.groups);
}

bool is_depthwise(const FusedLayer& layer) {
  return is_convolution(layer) && layer.options.groups == layer.in[3] &&
         layer.weight.shape()[0] == layer.in[3] && !layer.residual;
}

bool is_depthwise3x3(const FusedLayer& layer) {
  return is_depthwise(layer) && is_depthwise3x3(window_of(layer));
}

bool is_first(const FusedLayer& layer) {
  return is_convolution(layer) && layer.options.groups == 1 && !layer.residual &&
         fits_first(window_of(layer));
}

std::size_t padding_after(std::size_t in, std::size_t reach, std::size_t pad_before) {
  return reach > in + pad_before ? reach - in - pad_before : 0;
}

bool fits_first(const kernels::Window& w) {
  if (w.kernel_h == 1 && w.kernel_w == 1) {
    return is_pointwise(w, 1);
  }
  const std::size_t reach_h = (w.out_h - 1) * w.stride_h + w.kernel_h;
  const std::size_t reach_w = (w.out_w - 1) * w.stride_w + w.kernel_w;
  return w.dilation_h == 1 && w.dilation_w == 1 &&
         std::max(w.kernel_h, w.kernel_w) <= kernels::kMaxFirstTaps && w.pad_top < w.kernel_h &&
         w.pad_left < w.kernel_w && padding_after(w.in_h, reach_h, w.pad_top) < w.kernel_h &&
         padding_after(w.in_w, reach_w, w.pad_left) < w.kernel_w;
}

}  // namespace lamina::nn

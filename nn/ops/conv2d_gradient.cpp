#include "core/autograd.h"
#include "nn/kernels.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/conv2d.h"
#include "nn/ops/gradients.h"

namespace lamina::nn {
namespace {

// Keeps x for dw, w for dx, y for the bounds.
class Conv2dBackward {
 public:
  Conv2dBackward(const Convolution& convolution, const Tensor& bias, const Tensor& y)
      : x_shape_(convolution.x.shape()),
        w_shape_(convolution.w.shape()),
        window_(convolution.window),
        groups_(convolution.groups),
        bounds_(convolution.bounds),
        wants_x_(convolution.x.is_tracked()),
        wants_w_(convolution.w.is_tracked()),
        wants_bias_(bias.is_tracked()),
        x_(kept_if(wants_w_, convolution.x)),
        w_(kept_if(wants_x_, convolution.w)),
        y_(kept_if(!are_open(bounds_), y)) {}

  std::vector<Tensor> operator()(const Tensor& dy) const {
    const Tensor inside = clamp_gradient(dy, y_.get(), bounds_);
    const ConvolutionGradient gradient{.kernels = active_kernels(),
                                       .dy = inside,
                                       .x = x_shape_,
                                       .w = w_shape_,
                                       .window = window_,
                                       .groups = groups_};
    const ConvolutionPath& path = convolution_path(x_shape_, w_shape_, window_, groups_);
    return {wants_x_ ? path.input_gradient(gradient, w_.get()) : Tensor(),
            wants_w_ ? path.weight_gradient(gradient, x_.get()) : Tensor(),
            wants_bias_ ? column_sums(gradient.kernels, inside, w_shape_[0]) : Tensor()};
  }

 private:
  Shape x_shape_, w_shape_;
  kernels::Window window_;
  std::size_t groups_;
  Bounds bounds_;
  bool wants_x_, wants_w_, wants_bias_;
  Saved x_, w_, y_;
};

}  // namespace

Backward conv2d_backward(const Convolution& convolution, const Tensor& bias, const Tensor& y) {
  return Conv2dBackward(convolution, bias, y);
}

}  // namespace lamina::nn

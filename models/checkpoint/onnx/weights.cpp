#include "models/checkpoint/onnx/weights.h"

#include "core/error.h"

namespace lamina::models::onnx {

void check_floating(const Constant& values, const char* what) {
  check(values.is_floating(), what, " must be of a floating type: it is ", type_name(values.type));
}

Tensor convolution_weight(const Constant& weight) {
  check_floating(weight, "weight");
  check(weight.dims.size() == 4 && weight.size() > 0,
        "weight must be [O, I / groups, KH, KW], of images: it is ", printed(weight.dims));
  const auto extent = [&](std::size_t axis) { return static_cast<std::size_t>(weight.dims[axis]); };
  const std::size_t outputs = extent(0);
  const std::size_t inputs = extent(1);
  const std::size_t taps = extent(2) * extent(3);
  const Shape shape = {outputs, extent(2), extent(3), inputs};
  if (taps == 1 || inputs == 1) {
    return weight.floats.reshape(shape);
  }
  Tensor result = Tensor::uninitialized(shape);
  const float* from = weight.floats.data();
  float* to = result.data();
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t tap = 0; tap < taps; ++tap) {
      for (std::size_t i = 0; i < inputs; ++i) {
        *to++ = from[(o * inputs + i) * taps + tap];
      }
    }
  }
  return result;
}

Tensor channel_values(const Constant& values, std::size_t channels, const char* what) {
  check_floating(values, what);
  if (values.size() == 1 && channels != 1) {
    return Tensor::full({channels}, values.number(0));
  }
  check(values.size() == channels, what, " must have a value for each of the ", channels,
        " channels: it is ", printed(values.dims));
  return values.floats.reshape({channels});
}

}  // namespace lamina::models::onnx

#pragma once

#include <cstddef>
#include <vector>

namespace lamina::test {

/// A convolution of MobileNetV2 (table 2 of the paper), square input of `size` pixels a side.
struct NetworkLayer {
  enum class Kind { stem, pointwise, depthwise };
  Kind kind;
  std::size_t size, in, out, stride;
  bool operator==(const NetworkLayer&) const = default;
};

/// The 52 convolutions at width 1.0, in order; `resolution` is a multiple of 32.
std::vector<NetworkLayer> network_layers(std::size_t resolution);

/// Those without repetitions, at 224 pixels.
std::vector<NetworkLayer> layers_under_test();

}  // namespace lamina::test

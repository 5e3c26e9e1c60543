#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/mobilenet_v2.h"

/// The layers of a training step by themselves, as the chains run them.
namespace lamina::benchmarks {

/// The kernels of one kind while a layer runs, and what they have to do.
struct Pass {
  double seconds = 0.0;     ///< of all threads, divided by their number
  double operations = 0.0;  ///< two a multiply-add; 0 for the passes of batch norm
  double bytes = 0.0;       ///< one read or write of each array, weights left out
};

struct LayerTimes {
  std::string name;
  Shape input, output;
  double forward_seconds = 0.0;   ///< the whole layer, with the passes of its norm
  double backward_seconds = 0.0;  ///< both gradients and the passes
  Pass forward = {}, input_gradient = {}, weight_gradient = {};
  Pass forward_norm = {}, backward_norm = {};  ///< all passes of batch norm
};

/// Runs each convolution and the classifier of a network in training forward and backward on random
/// images of that shape so many times, alone but as in its chain: the norm before a layer inside of
/// a chain is applied as the layer reads, and its sums are taken as the layer writes its gradient.
/// Left out are the passes at a chain's end. The images themselves want no gradient.
std::vector<LayerTimes> measure_layers(models::MobileNetV2& net, const Shape& images, int rounds);

}  // namespace lamina::benchmarks

#pragma once

#include "models/mobilenet_v2.h"

namespace lamina::benchmarks {

/// Folds batch norm and fills every tensor with random values that keep activations in range.
void randomize(models::MobileNetV2& net);

}  // namespace lamina::benchmarks

#include "benchmarks/random_weights.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "nn/layers.h"

namespace lamina::benchmarks {

void randomize(models::MobileNetV2& net) {
  nn::fold_batch_norm(net);
  Rng rng(1);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const std::size_t inputs = tensor.value->size() / tensor.value->shape()[0];
    const float bound = std::sqrt(6.0f / static_cast<float>(inputs));
    std::ranges::generate(tensor.value->values(), [&] { return rng.uniform(-bound, bound); });
  }
}

}  // namespace lamina::benchmarks

#include <cmath>
#include <utility>

#include "nn/optim.h"
#include "nn/optim/checks.h"
#include "nn/optim/each_value.h"

namespace lamina::nn {

RmsProp::RmsProp(std::vector<NamedTensor> parameters, const RmsPropOptions& options)
    : Optimizer("RmsProp", std::move(parameters),
                {options.rate, options.weight_decay, options.decay_on},
                {{"mean_square", 1.0f}, {"momentum"}}),
      options_(options) {
  check_share("RmsProp", "decay", options.decay);
  check_share("RmsProp", "momentum", options.momentum);
  check_positive("RmsProp", "epsilon", options.epsilon);
}

void RmsProp::update(const Piece& piece) const {
  const auto rate = static_cast<float>(this->rate());
  const auto weight_decay = static_cast<float>(piece.decay);
  const auto gain = static_cast<float>(1.0 - options_.decay);
  const auto momentum = static_cast<float>(options_.momentum);
  const auto epsilon = static_cast<float>(options_.epsilon);
  const float* dw = piece.dw;
  float* w = piece.w;
  float* s = piece.slots[0];
  float* m = piece.slots[1];
  for_each_value(piece.count, {w, dw, s, m}, [=](std::size_t i) {
    const float g = dw[i] + weight_decay * w[i];
    s[i] += gain * (g * g - s[i]);
    m[i] = momentum * m[i] + rate * g / std::sqrt(s[i] + epsilon);
    w[i] -= m[i];
  });
}

}  // namespace lamina::nn

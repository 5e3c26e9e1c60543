#include <cmath>
#include <utility>

#include "nn/optim.h"
#include "nn/optim/checks.h"
#include "nn/optim/each_value.h"

namespace lamina::nn {

AdamW::AdamW(std::vector<NamedTensor> parameters, const AdamWOptions& options)
    : Optimizer("AdamW", std::move(parameters),
                {options.rate, options.weight_decay, options.decay_on},
                {{"mean"}, {"mean_square"}}),
      options_(options) {
  check_share("AdamW", "beta1", options.beta1);
  check_share("AdamW", "beta2", options.beta2);
  check_positive("AdamW", "epsilon", options.epsilon);
}

void AdamW::update(const Piece& piece) const {
  const double beta1 = options_.beta1;
  const double beta2 = options_.beta2;
  const auto keep = static_cast<float>(1.0 - rate() * piece.decay);
  const auto keep_mean = static_cast<float>(beta1);
  const auto gain_mean = static_cast<float>(1.0 - beta1);
  const auto keep_square = static_cast<float>(beta2);
  const auto gain_square = static_cast<float>(1.0 - beta2);
  const auto step = static_cast<float>(rate() / (1.0 - std::pow(beta1, piece.step)));
  const auto root = static_cast<float>(std::sqrt(1.0 - std::pow(beta2, piece.step)));
  const auto small = static_cast<float>(options_.epsilon);
  const float* dw = piece.dw;
  float* w = piece.w;
  float* m = piece.slots[0];
  float* s = piece.slots[1];
  for_each_value(piece.count, {w, dw, m, s}, [=](std::size_t i) {
    m[i] = keep_mean * m[i] + gain_mean * dw[i];
    s[i] = keep_square * s[i] + gain_square * dw[i] * dw[i];
    w[i] = keep * w[i] - step * m[i] / (std::sqrt(s[i]) / root + small);
  });
}

}  // namespace lamina::nn

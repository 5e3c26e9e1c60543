#include <utility>

#include "core/error.h"
#include "nn/optim.h"
#include "nn/optim/checks.h"

namespace lamina::nn {
namespace {

struct Momentum {
  float* m;
  float keep, gain;  // m = keep m + gain g
  float factor;      // of Nesterov's form
};

struct Step {
  std::size_t count;
  float* w;
  const float* dw;
  float rate, decay;
};

void plain(const Step& step) {
  const auto [count, w, dw, rate, decay] = step;
  for (std::size_t i = 0; i < count; ++i) {
    w[i] -= rate * (dw[i] + decay * w[i]);
  }
}

template <MomentumForm kForm>
void with_momentum(const Step& step, const Momentum& momentum) {
  const auto [count, w, dw, rate, decay] = step;
  const auto [m, keep, gain, factor] = momentum;
  for (std::size_t i = 0; i < count; ++i) {
    const float g = dw[i] + decay * w[i];
    m[i] = keep * m[i] + gain * g;
    w[i] -= rate * (kForm == MomentumForm::nesterov ? g + factor * m[i] : m[i]);
  }
}

}  // namespace

Sgd::Sgd(std::vector<NamedTensor> parameters, const SgdOptions& options)
    : Optimizer("Sgd", std::move(parameters),
                {options.rate, options.weight_decay, options.decay_on},
                options.momentum > 0.0 ? std::vector<Slot>{{"momentum"}} : std::vector<Slot>{}),
      options_(options) {
  check_share("Sgd", "momentum", options.momentum);
  check_share("Sgd", "dampening", options.dampening);
  check(
      options.form == MomentumForm::classic || (options.momentum > 0.0 && options.dampening == 0.0),
      "Sgd: Nesterov's form needs momentum and no dampening: momentum is ", options.momentum,
      ", dampening ", options.dampening);
}

void Sgd::update(const Piece& piece) const {
  const Step step = {piece.count, piece.w, piece.dw, static_cast<float>(rate()),
                     static_cast<float>(piece.decay)};
  if (piece.slots[0] == nullptr) {
    plain(step);
    return;
  }
  const bool first = piece.step == 1;
  const auto factor = static_cast<float>(options_.momentum);
  const Momentum momentum = {
      .m = piece.slots[0],
      .keep = first ? 0.0f : factor,
      .gain = first ? 1.0f : static_cast<float>(1.0 - options_.dampening),
      .factor = factor,
  };
  if (options_.form == MomentumForm::nesterov) {
    with_momentum<MomentumForm::nesterov>(step, momentum);
  } else {
    with_momentum<MomentumForm::classic>(step, momentum);
  }
}

}  // namespace lamina::nn

#include <utility>

#include "core/error.h"
#include "nn/optim.h"
#include "nn/optim/checks.h"
#include "nn/optim/each_value.h"

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
  float* const w = step.w;
  const float* const dw = step.dw;
  for_each_value(step.count, {w, dw},
                 [=](std::size_t i) { w[i] -= step.rate * (dw[i] + step.decay * w[i]); });
}

template <MomentumForm kForm>
void with_momentum(const Step& step, const Momentum& momentum) {
  float* const w = step.w;
  const float* const dw = step.dw;
  float* const m = momentum.m;
  for_each_value(step.count, {w, dw, m}, [=](std::size_t i) {
    const float g = dw[i] + step.decay * w[i];
    m[i] = momentum.keep * m[i] + momentum.gain * g;
    w[i] -= step.rate * (kForm == MomentumForm::nesterov ? g + momentum.factor * m[i] : m[i]);
  });
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

#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "nn/ops/blocks.h"
#include "nn/optim.h"
#include "nn/optim/checks.h"
#include "nn/optim/saved_state.h"

namespace lamina::nn {
namespace {

void check_parameters(std::string_view optimizer, const std::vector<NamedTensor>& parameters) {
  std::set<std::string_view> names;
  for (const NamedTensor& parameter : parameters) {
    check(parameter.kind == TensorKind::parameter, optimizer,
          ": buffers are not trained: ", parameter.name, " is one");
    check(names.insert(parameter.name).second, optimizer,
          ": parameters must have different names: two are ", parameter.name);
  }
}

}  // namespace

Optimizer::Piece Optimizer::Piece::part(std::size_t begin, std::size_t end) const {
  Piece part = *this;
  part.count = end - begin;
  part.w += begin;
  part.dw += begin;
  for (float*& slot : part.slots) {
    slot = slot == nullptr ? nullptr : slot + begin;
  }
  return part;
}

Optimizer::Optimizer(std::string_view name, std::vector<NamedTensor> parameters,
                     const Common& common, std::vector<Slot> slots)
    : name_(name),
      parameters_(std::move(parameters)),
      weight_decay_(common.weight_decay),
      decay_on_(common.decay_on),
      slots_(std::move(slots)),
      kept_(parameters_.size()),
      steps_(parameters_.size()) {
  set_rate(common.rate);
  check_not_negative(name_, "weight_decay", weight_decay_);
  check_parameters(name_, parameters_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      kept_[i][slot] = Tensor::full(parameters_[i].value->shape(), slots_[slot].initial);
    }
  }
}

void Optimizer::set_rate(double rate) {
  check_not_negative(name_, "rate", rate);
  rate_ = rate;
}

void Optimizer::check_shapes() const {
  for (std::size_t i = 0; i < parameters_.size() && !slots_.empty(); ++i) {
    const Shape& before = kept_[i][0].shape();
    const Shape& now = parameters_[i].value->shape();
    check(before == now, name_, ": parameters must keep their shapes: ", parameters_[i].name,
          " was ", before, ", is ", now);
  }
}

std::vector<Optimizer::Piece> Optimizer::pieces() {
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& value = *parameters_[i].value;
    const Tensor gradient = value.grad();
    if (gradient.empty()) {
      continue;
    }
    steps_[i] = std::min(steps_[i] + 1, kMaxCount);
    const bool decays = decay_on_ == DecayOn::all || value.shape().rank() > 1;
    const Piece whole = {.count = value.size(),
                         .w = value.data(),
                         .dw = gradient.data(),
                         .slots = {kept_[i][0].data(), kept_[i][1].data()},
                         .decay = decays ? weight_decay_ : 0.0,
                         .step = steps_[i]};
    for (std::size_t begin = 0; begin < whole.count; begin += kTaskFloats) {
      pieces.push_back(whole.part(begin, std::min(whole.count, begin + kTaskFloats)));
    }
  }
  return pieces;
}

void Optimizer::step() {
  check_shapes();
  const std::vector<Piece> work = pieces();
  parallel_for(work.size(), [&](std::size_t i) { update(work[i]); });
}

void Optimizer::clear_gradients() {
  for (const NamedTensor& parameter : parameters_) {
    parameter.value->clear_grad();
  }
}

StateDict Optimizer::state() const {
  StateDict state;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const std::string& name = parameters_[i].name;
    state.emplace("steps." + name, saved_counter(steps_[i]));
    for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
      state.emplace(text(slots_[slot].name, '.', name), kept_[i][slot]);
    }
  }
  return state;
}

void Optimizer::load_state(const StateDict& state) {
  StateDict own = Optimizer::state();
  check_same_names(name_, own, state);
  std::vector<std::uint32_t> steps;
  for (const NamedTensor& parameter : parameters_) {
    steps.push_back(read_counter(name_, "steps." + parameter.name, state));
  }
  steps_ = std::move(steps);
  copy_values(own, state);
}

}  // namespace lamina::nn

#include "nn/ema.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "nn/optim/checks.h"
#include "nn/optim/runs.h"
#include "nn/optim/saved_state.h"

namespace lamina::nn {
namespace {

constexpr const char* kUpdates = "updates";

struct Pair {
  const float* from;
  float* to;
  bool averaged;
};

void blend(const Pair& pair, const Run& run, float keep, float gain) {
  const auto [from, to, averaged] = pair;
  if (!averaged) {
    std::copy(from + run.begin, from + run.end, to + run.begin);
    return;
  }
  for (std::size_t i = run.begin; i < run.end; ++i) {
    to[i] = keep * to[i] + gain * from[i];
  }
}

}  // namespace

Ema::Ema(Module& module, const EmaOptions& options)
    : tensors_(named_tensors(module)), options_(options) {
  check_share("Ema", "decay", options.decay);
  check(options.warmup == 0.0 || (options.warmup >= 1.0 && std::isfinite(options.warmup)),
        "Ema: warmup must be 0 or at least 1 and finite: got ", options.warmup);
  for (const NamedTensor& tensor : tensors_) {
    average_.emplace(tensor.name, std::as_const(*tensor.value).clone());
  }
}

double Ema::decay() const {
  const auto n = static_cast<double>(updates_);
  return std::min(options_.decay, (1.0 + n) / (options_.warmup + n));
}

void Ema::update() {
  const auto keep = static_cast<float>(decay());
  const auto gain = static_cast<float>(1.0 - decay());
  std::vector<Pair> pairs;
  std::vector<std::size_t> sizes;
  for (const NamedTensor& tensor : tensors_) {
    pairs.push_back({.from = std::as_const(*tensor.value).data(),
                     .to = average_.at(tensor.name).data(),
                     .averaged = tensor.kind == TensorKind::parameter ||
                                 options_.buffers == EmaBuffers::average});
    sizes.push_back(tensor.value->size());
  }
  const std::vector<Run> runs = cut_runs(sizes);
  parallel_for(runs.size(),
               [&](std::size_t i) { blend(pairs[runs[i].tensor], runs[i], keep, gain); });
  updates_ = std::min(updates_ + 1, kMaxCount);
}

void Ema::swap() {
  for (const NamedTensor& tensor : tensors_) {
    std::ranges::swap_ranges(tensor.value->values(), average_.at(tensor.name).values());
  }
}

void Ema::copy_to(Module& other) const { nn::load_state(other, average_); }

StateDict Ema::state() const {
  StateDict state = {{kUpdates, saved_counter(updates_)}};
  for (const auto& [name, value] : average_) {
    state.emplace("average." + name, value);
  }
  return state;
}

void Ema::load_state(const StateDict& state) {
  StateDict own = Ema::state();
  check_same_names("Ema", own, state);
  updates_ = read_counter("Ema", kUpdates, state);
  copy_values(own, state);
}

}  // namespace lamina::nn

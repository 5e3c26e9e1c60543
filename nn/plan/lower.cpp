#include "nn/plan/lower.h"

#include <algorithm>

#include "nn/ops/conv2d.h"
#include "nn/plan/layer_rules.h"
#include "nn/plan/step_memory.h"
#include "nn/plan/weights.h"

namespace lamina::nn {
namespace {

// Half of a core's usual L2 of 1 MB: a hidden tensor beyond it would be read back from L3.
constexpr std::size_t kFuseBeyondBytes = 512 * 1024;

// Slices as high as fit in this with all rings, so that a product has rows enough for its tiles.
constexpr std::size_t kSliceBytes = 256 * 1024;
constexpr std::size_t kMaxRowsAtOnce = 14;

// Pixels' columns for one product after im2col.
constexpr std::size_t kColumnsBytes = 128 * 1024;

class Lowering {
 public:
  Lowering(const kernels::KernelTable& kernels, const std::vector<FusedLayer>& layers,
           Fusion fusion, Slices slices)
      : kernels_(kernels),
        layers_(layers),
        fusion_(fusion),
        slices_(slices),
        weights_(kernels),
        readers_(layers.size() + 1, 0) {
    for (const FusedLayer& layer : layers) {
      for (const std::size_t value : layer.inputs) {
        ++readers_[value];
      }
      if (layer.residual) {
        ++readers_[*layer.residual];
      }
    }
    ++readers_.back();
  }

  Lowered run() {
    for (std::size_t i = 0; i < layers_.size();) {
      i += lower(i);
    }
    lowered_.program.isa = kernels_.isa;
    lowered_.program.kernels = &kernels_;
    const auto weights = std::make_shared<const Tensor>(weights_.finish());
    lowered_.program.weights = std::shared_ptr<const float[]>(weights, weights->data());
    lowered_.program.weight_floats = weights->size();
    lowered_.program.scratch = scratch_of(lowered_.program);
    return std::move(lowered_);
  }

 private:
  // Whether layer i reads layer i - 1 alone, and nothing else does.
  bool follows(std::size_t i) const {
    return i < layers_.size() && layers_[i].inputs.front() == i && readers_[i] == 1;
  }

  // How many layers from i on make one block: 3, 2 without a first convolution, or 0.
  std::size_t block_length(std::size_t i) const {
    if (fusion_ == Fusion::never) {
      return 0;
    }
    const bool first = is_first(layers_[i]) && follows(i + 1);
    const std::size_t filter = first && is_depthwise3x3(layers_[i + 1]) ? i + 1 : i;
    if (!is_depthwise3x3(layers_[filter]) || !follows(filter + 1) ||
        !is_product(layers_[filter + 1])) {
      return 0;
    }
    const Bounds a = layers_[i].bounds;
    const Bounds b = layers_[filter].bounds;
    const bool same = a.lo == b.lo && a.hi == b.hi;
    const std::size_t hidden = per_image(layers_[filter].in) * sizeof(float);
    const bool large = fusion_ == Fusion::always || hidden > kFuseBeyondBytes;
    return same && large ? filter + 2 - i : 0;
  }

  // Adds the step for layer i, or for the block that begins there; returns how many layers it took.
  std::size_t lower(std::size_t i) {
    if (const std::size_t length = block_length(i)) {
      block(i, length);
      return length;
    }
    switch (layers_[i].kind) {
      case FusedLayer::Kind::convolution:
        convolution(i);
        break;
      case FusedLayer::Kind::linear:
        product(i, kernels_.max_panel);
        break;
      case FusedLayer::Kind::scale_shift:
        scale_shift(i);
        break;
      case FusedLayer::Kind::pool:
        push(Step::Kind::pool, i, i);
        break;
      case FusedLayer::Kind::add:
        push(Step::Kind::add, i, i);
        break;
      case FusedLayer::Kind::clamp:
        push(Step::Kind::clamp, i, i);
        break;
      case FusedLayer::Kind::softmax:
        push(Step::Kind::softmax, i, i);
        break;
    }
    return 1;
  }

  // A step that makes layer `last`'s result from `first`'s input; channels are the last axis.
  Step& push(Step::Kind kind, std::size_t first, std::size_t last) {
    const FusedLayer& layer = layers_[first];
    const std::size_t channels = layer.in[layer.in.rank() - 1];
    Program& program = lowered_.program;
    program.steps.push_back({.kind = kind,
                             .x = {},
                             .residual = {},
                             .y = {},
                             .rows = per_image(layer.in) / channels,
                             .channels = channels});
    program.steps.back().bounds = layers_[last].bounds;
    program.names.push_back(layer.name);
    for (std::size_t i = first + 1; i <= last; ++i) {
      program.names.back() += " + " + layers_[i].name;
    }
    StepValues values = {
        .x = layer.inputs.front(), .residual = layers_[last].residual, .y = last + 1};
    if (layer.inputs.size() > 1) {
      values.residual = layer.inputs[1];
    }
    lowered_.values.push_back(values);
    return program.steps.back();
  }

  void product(std::size_t i, std::size_t panel) {
    Step& step = push(Step::Kind::product, i, i);
    step.matrix = weights_.add_matrix(layers_[i].weight, layers_[i].bias, panel);
  }

  void scale_shift(std::size_t i) {
    Step& step = push(Step::Kind::scale_shift, i, i);
    step.taps = weights_.add(layers_[i].weight);
    step.taps_bias = weights_.add(layers_[i].bias);
  }

  void convolution(std::size_t i) {
    const FusedLayer& layer = layers_[i];
    if (is_product(layer)) {
      product(i, kernels_.best_panel(layer.weight.shape()[0]));
    } else if (is_depthwise(layer)) {
      Step& step = push(Step::Kind::depthwise, i, i);
      step.window = window_of(layer);
      step.taps = weights_.add(channels_last(layer.weight));
      step.taps_bias = weights_.add(layer.bias);
    } else {
      Step& step = push(Step::Kind::convolution, i, i);
      step.window = window_of(layer);
      step.groups = layer.options.groups;
      step.matrix = weights_.add_groups(layer.weight, layer.bias, step.groups);
      const std::size_t fitting = kColumnsBytes / sizeof(float) / step.matrix.k;
      step.rows_at_once =
          std::clamp<std::size_t>(fitting, 1, step.window.out_h * step.window.out_w);
    }
  }

  void block(std::size_t i, std::size_t length) {
    const FusedLayer& filter = layers_[i + length - 2];
    const FusedLayer& project = layers_[i + length - 1];
    Step& step = push(Step::Kind::inverted_residual, i, i + length - 1);
    step.window = window_of(filter);
    step.inner_bounds = filter.bounds;
    const auto add = [this](const FusedLayer& layer) {
      const std::size_t n = layer.weight.shape()[0];
      return weights_.add_matrix(layer.weight, layer.bias, kernels_.best_panel(n));
    };
    if (length == 3) {
      step.first = window_of(layers_[i]);
      step.expand = add(layers_[i]);
    }
    step.taps = weights_.add(channels_last(filter.weight));
    step.taps_bias = weights_.add(filter.bias);
    step.matrix = add(project);
    choose_rows(step);
  }

  void choose_rows(Step& step) const {
    const std::size_t most = slices_ == Slices::thin ? 1 : kMaxRowsAtOnce;
    step.rows_at_once = std::min(most, step.window.out_h);
    while (step.rows_at_once > 1 &&
           memory_of(kernels_, step).scratch * sizeof(float) > kSliceBytes) {
      --step.rows_at_once;
    }
  }

  const kernels::KernelTable& kernels_;
  const std::vector<FusedLayer>& layers_;
  Fusion fusion_;
  Slices slices_;
  WeightsBuilder weights_;
  std::vector<std::size_t> readers_;  // of each value
  Lowered lowered_;
};

}  // namespace

Lowered lower(const kernels::KernelTable& kernels, const std::vector<FusedLayer>& layers,
              Fusion fusion, Slices slices) {
  return Lowering(kernels, layers, fusion, slices).run();
}

}  // namespace lamina::nn

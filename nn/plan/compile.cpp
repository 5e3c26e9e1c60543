#include <algorithm>

#include "core/error.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/conv2d.h"
#include "nn/plan/arena.h"
#include "nn/plan/layers.h"
#include "nn/plan/program.h"
#include "nn/plan/weights.h"

namespace lamina::nn {
namespace {

// Half of a core's usual L2 of 1 MB: a hidden tensor beyond it would be read back from L3.
constexpr std::size_t kFuseBeyondBytes = 512 * 1024;

// Slices as high as fit in this with their ring, so that a product has rows enough for its tiles.
constexpr std::size_t kSliceBytes = 256 * 1024;
constexpr std::size_t kMaxRowsAtOnce = 8;

// Pixels' columns for one product after im2col.
constexpr std::size_t kColumnsBytes = 128 * 1024;

struct Attempt {
  Fusion fusion;
  bool thin;  // slices of one row
};

std::size_t per_image(const Shape& shape) { return shape.size() / shape[0]; }

class Compiler {
 public:
  Compiler(const Graph& graph, const std::vector<FusedLayer>& layers, Attempt attempt)
      : kernels_(active_kernels()), layers_(layers), attempt_(attempt), weights_(kernels_) {
    const Shape& input = graph.nodes.front().shape;
    check(input.rank() >= 2 && input.size() > 0,
          "compile: the input must have images and channels: got ", input);
    for (const Node& node : graph.nodes) {
      check(node.shape.rank() >= 2 && node.shape[0] == input[0],
            "compile: every tensor must have the batch as its first axis: ", node.name, " makes ",
            node.shape, ", the input is ", input);
    }
    program_.isa = kernels_.isa;
    program_.kernels = &kernels_;
    program_.traced_input = input;
    program_.traced_output = graph.nodes[graph.output].shape;
    readers_.resize(layers.size() + 1, 0);
    for (const FusedLayer& layer : layers) {
      for (const std::size_t value : values_of(layer)) {
        ++readers_[value];
      }
    }
    ++readers_.back();
  }

  Program run() {
    for (std::size_t i = 0; i < layers_.size();) {
      i += lower(i);
    }
    place();
    program_.weights = weights_.finish();
    for (const Step& step : program_.steps) {
      program_.scratch = std::max(program_.scratch, step.scratch);
    }
    return std::move(program_);
  }

 private:
  static std::vector<std::size_t> values_of(const FusedLayer& layer) {
    std::vector<std::size_t> values = layer.inputs;
    if (layer.residual) {
      values.push_back(*layer.residual);
    }
    return values;
  }

  kernels::Window window_of(const FusedLayer& layer) const {
    return conv2d_window(layer.in, layer.weight.shape(), layer.options);
  }

  static bool is_convolution(const FusedLayer& layer) {
    return layer.kind == FusedLayer::Kind::convolution;
  }
  bool is_product(const FusedLayer& layer) const {
    return is_convolution(layer) && nn::is_pointwise(window_of(layer), layer.options.groups);
  }
  static bool is_depthwise(const FusedLayer& layer) {
    return is_convolution(layer) && layer.options.groups == layer.in[3] &&
           layer.weight.shape()[0] == layer.in[3] && !layer.residual;
  }
  bool is_depthwise3x3(const FusedLayer& layer) const {
    return is_depthwise(layer) && nn::is_depthwise3x3(window_of(layer));
  }
  // Whether inverted_residual can make this layer's result row by row.
  bool is_first(const FusedLayer& layer) const {
    if (!is_convolution(layer) || layer.options.groups != 1 || layer.residual) {
      return false;
    }
    const Padding& pad = layer.options.padding;
    const std::size_t taps_h = layer.weight.shape()[1];
    const std::size_t taps_w = layer.weight.shape()[2];
    return layer.options.dilation == Size2(1) &&
           std::max(taps_h, taps_w) <= kernels::kMaxFirstTaps &&
           std::max(pad.top, pad.bottom) < taps_h && std::max(pad.left, pad.right) < taps_w;
  }
  // Whether layer i reads layer i - 1 alone, and nothing else does.
  bool follows(std::size_t i) const {
    return i < layers_.size() && layers_[i].inputs.front() == i && readers_[i] == 1;
  }

  // How many layers from i on make one block: 3, 2 without a first convolution, or 0.
  std::size_t block_length(std::size_t i) const {
    if (attempt_.fusion == Fusion::never) {
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
    const bool large = attempt_.fusion == Fusion::always || hidden > kFuseBeyondBytes;
    return same && large ? filter + 2 - i : 0;
  }

  // Adds the step for layer i, or for the block that begins there; returns how many layers it took.
  std::size_t lower(std::size_t i) {
    if (const std::size_t length = block_length(i)) {
      block(i, length);
      return length;
    }
    const FusedLayer& layer = layers_[i];
    switch (layer.kind) {
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
        pass(i, Step::Kind::pool);
        break;
      case FusedLayer::Kind::add:
        pass(i, Step::Kind::add);
        break;
      case FusedLayer::Kind::clamp:
        pass(i, Step::Kind::clamp);
        break;
      case FusedLayer::Kind::softmax:
        pass(i, Step::Kind::softmax);
        break;
    }
    return 1;
  }

  // A step that makes layer `last`'s result from `first`'s input; channels are the last axis.
  Step& push(Step::Kind kind, std::size_t first, std::size_t last) {
    const FusedLayer& layer = layers_[first];
    const std::size_t channels = layer.in[layer.in.rank() - 1];
    program_.steps.push_back({.kind = kind,
                              .x = {},
                              .residual = {},
                              .y = {},
                              .rows = per_image(layer.in) / channels,
                              .channels = channels});
    Step& step = program_.steps.back();
    step.bounds = layers_[last].bounds;
    program_.names.push_back(layer.name);
    for (std::size_t i = first + 1; i <= last; ++i) {
      program_.names.back() += " + " + layers_[i].name;
    }
    uses_.push_back({.x = layer.inputs.front(), .residual = layers_[last].residual, .y = last + 1});
    if (layer.inputs.size() > 1) {
      uses_.back().residual = layer.inputs[1];
    }
    return step;
  }

  void pass(std::size_t i, Step::Kind kind) { push(kind, i, i); }

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
      step.fits_3x3 = is_depthwise3x3(layer);
      step.taps = weights_.add(channels_last(layer.weight));
      step.taps_bias = weights_.add(layer.bias);
    } else {
      Step& step = push(Step::Kind::convolution, i, i);
      step.window = window_of(layer);
      step.groups = layer.options.groups;
      step.matrix = weights_.add_groups(layer.weight, layer.bias, step.groups);
      const std::size_t fitting = kColumnsBytes / sizeof(float) / step.matrix.k;
      step.rows_at_once = std::clamp<std::size_t>(fitting, 1, per_image(layer.out));
      step.scratch = step.rows_at_once * step.matrix.k;
    }
  }

  void block(std::size_t i, std::size_t length) {
    const FusedLayer& filter = layers_[i + length - 2];
    const FusedLayer& project = layers_[i + length - 1];
    Step& step = push(Step::Kind::inverted_residual, i, i + length - 1);
    step.window = window_of(filter);
    step.inner_bounds = filter.bounds;
    step.taps = weights_.add(channels_last(filter.weight));
    step.taps_bias = weights_.add(filter.bias);
    const auto add = [this](const FusedLayer& layer) {
      const std::size_t n = layer.weight.shape()[0];
      return weights_.add_matrix(layer.weight, layer.bias, kernels_.best_panel(n));
    };
    step.matrix = add(project);
    if (length == 3) {
      step.first = window_of(layers_[i]);
      step.expand = add(layers_[i]);
    }
    choose_rows(step);
  }

  void choose_rows(Step& step) {
    kernels::InvertedResidualArgs args = block_args(step);
    const std::size_t most = std::min(attempt_.thin ? 1 : kMaxRowsAtOnce, step.window.out_h);
    for (args.rows_at_once = most; args.rows_at_once > 1; --args.rows_at_once) {
      if (kernels_.inverted_residual_scratch(args) * sizeof(float) <= kSliceBytes) {
        break;
      }
    }
    step.rows_at_once = args.rows_at_once;
    step.scratch = kernels_.inverted_residual_scratch(args);
  }

  // What inverted_residual_scratch looks at.
  kernels::InvertedResidualArgs block_args(const Step& step) const {
    kernels::InvertedResidualArgs args = {};
    args.first = step.first;
    args.window = step.window;
    args.in_channels = step.channels;
    args.hidden = step.matrix.k;
    args.out_channels = step.matrix.n;
    static constexpr float kPresent = 0.0f;
    args.expand = step.expand.values == kAbsent ? nullptr : &kPresent;
    return args;
  }

  // Gives every value between steps its place in the arena.
  void place() {
    std::vector<Lifetime> lifetimes;
    for (std::size_t value = 1; value < layers_.size(); ++value) {
      lifetimes.push_back({.floats = per_image(layers_[value - 1].out)});
      Lifetime& lifetime = lifetimes.back();
      for (std::size_t step = 0; step < uses_.size(); ++step) {
        const Use& use = uses_[step];
        if (use.y == value) {
          lifetime.first = step;
          lifetime.used = true;
        }
        if (use.x == value || use.residual == value) {
          lifetime.last = step;
        }
      }
      lifetime.last = std::max(lifetime.first, lifetime.last);
    }
    const std::vector<std::size_t> offsets = plan_arena(lifetimes, program_.arena);
    const auto at = [&](std::size_t value) -> Place {
      return value == 0                ? Place{Place::In::input, 0}
             : value == layers_.size() ? Place{Place::In::output, 0}
                                       : Place{Place::In::arena, offsets[value - 1]};
    };
    for (std::size_t step = 0; step < uses_.size(); ++step) {
      program_.steps[step].x = at(uses_[step].x);
      program_.steps[step].y = at(uses_[step].y);
      if (uses_[step].residual) {
        program_.steps[step].residual = at(*uses_[step].residual);
      }
    }
  }

  struct Use {
    std::size_t x;
    std::optional<std::size_t> residual;
    std::size_t y;
  };

  const kernels::KernelTable& kernels_;
  const std::vector<FusedLayer>& layers_;
  Attempt attempt_;
  WeightsBuilder weights_;
  Program program_;
  std::vector<std::size_t> readers_;  // of each value
  std::vector<Use> uses_;             // the values of each step
};

PlanMemory memory_of(const Program& program) {
  return {.weights = program.weights.size() * sizeof(float),
          .arena = program.arena * sizeof(float),
          .scratch = program.scratch * sizeof(float)};
}

}  // namespace

Plan compile(const Graph& graph, const CompileOptions& options) {
  const std::vector<FusedLayer> layers = fuse(graph);
  Program program = Compiler(graph, layers, {options.fusion, false}).run();
  const std::size_t limit = options.max_memory.value_or(~std::size_t{0});
  if (memory_of(program).total() > limit) {
    program = Compiler(graph, layers, {Fusion::always, true}).run();
  }
  const std::size_t least = memory_of(program).total();
  check(least <= limit, "compile: the plan must fit in max_memory: it needs ", least,
        " bytes at least, max_memory is ", limit);
  return Plan(std::make_shared<const Program>(std::move(program)));
}

PlanMemory Plan::memory() const { return memory_of(*program_); }

}  // namespace lamina::nn

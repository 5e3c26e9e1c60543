#include <cmath>
#include <memory>
#include <utility>

#include "core/autograd.h"
#include "core/error.h"
#include "nn/conv_norm/chain.h"
#include "nn/kernels.h"
#include "nn/ops/blocks.h"
#include "nn/ops/checks.h"
#include "nn/recorder.h"

namespace lamina::nn {
namespace {

void check_layers(const Tensor& x, const std::vector<ConvNorm>& layers) {
  check(!layers.empty(), "conv_norm_chain: there must be a layer");
  Shape shape = x.shape();
  for (const ConvNorm& layer : layers) {
    shape = conv2d_shape(shape, layer.weight.shape(), layer.options);
    const std::pair<const char*, const Tensor*> vectors[] = {
        {"gamma", &layer.gamma},
        {"beta", &layer.beta},
        {"running mean", &layer.running_mean},
        {"running variance", &layer.running_variance}};
    for (const auto& [name, vector] : vectors) {
      check_vector("conv_norm_chain", name, *vector, "weight", layer.weight.shape(), shape[3]);
    }
    check_bounds("conv_norm_chain", layer.bounds);
    check(layer.epsilon >= 0.0f && std::isfinite(layer.epsilon),
          "conv_norm_chain: epsilon must be finite and not negative: got ", layer.epsilon);
    check(layer.momentum >= 0.0f && layer.momentum <= 1.0f,
          "conv_norm_chain: momentum must be from 0 to 1: got ", layer.momentum);
    check(shape.size() / shape[3] >= 2,
          "conv_norm_chain: statistics need at least 2 values a channel: a result is ", shape);
  }
  check(is_conv_norm_chain(x.shape(), layers),
        "conv_norm_chain: layers must be 1x1, depthwise 3x3 or first of the chain");
}

// The tensors that gradients flow to, in the order in which backward returns them.
std::vector<const Tensor*> inputs_of(const Tensor& x, const std::vector<ConvNorm>& layers) {
  std::vector<const Tensor*> inputs = {&x};
  for (const ConvNorm& layer : layers) {
    inputs.insert(inputs.end(), {&layer.weight, &layer.gamma, &layer.beta});
  }
  return inputs;
}

void add_to(Tensor& sum, const Tensor& term) {
  const kernels::KernelTable& kernels = active_kernels();
  const Bounds none;
  float* const to = sum.data();
  parallel_blocks(sum.size(), kTaskFloats, [&](std::size_t begin, std::size_t end) {
    kernels.add({.count = end - begin,
                 .a = to + begin,
                 .b = term.data() + begin,
                 .y = to + begin,
                 .lo = none.lo,
                 .hi = none.hi});
  });
}

}  // namespace

Tensor conv_norm_chain(const Tensor& x, const std::vector<ConvNorm>& layers,
                       const ConvNormChainOptions& options) {
  check(Recorder::active() == nullptr,
        "conv_norm_chain: a network is recorded in evaluation, not in training");
  check_layers(x, layers);
  const bool has_residual = options.residual == ConvNormChainOptions::Residual::input;
  auto chain = std::make_shared<Chain>(x, layers);
  Tensor y = chain->forward(has_residual ? x.data() : nullptr);
  const std::vector<const Tensor*> inputs = inputs_of(x, layers);
  if (!needs_gradient(inputs)) {
    return y;
  }
  if (options.keep == Keep::input) {
    chain->forget();
  }
  std::vector<Saved> saved;
  for (const Tensor* input : inputs) {
    saved.emplace_back(*input);
  }
  return record("conv_norm_chain", y, inputs, [=](const Tensor& dy) {
    for (const Saved& input : saved) {
      input.get();  // throws when it was changed
    }
    if (options.keep == Keep::input) {
      chain->remember();
    }
    std::vector<Tensor> gradients(1);
    const auto wants =
        saved[0].is_tracked() ? Chain::Wants::parameters_and_x : Chain::Wants::parameters;
    for (const ParameterGradients& part : chain->backward(dy, wants, gradients[0])) {
      gradients.insert(gradients.end(), {part.weight, part.gamma, part.beta});
    }
    if (has_residual && saved[0].is_tracked()) {
      add_to(gradients[0], dy);
    }
    return gradients;
  });
}

}  // namespace lamina::nn

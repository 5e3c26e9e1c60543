#include "nn/conv_norm/chain.h"

#include <cmath>
#include <utility>

#include "nn/conv_norm/rows.h"
#include "nn/kernels.h"
#include "nn/ops/conv2d.h"

namespace lamina::nn {
namespace {

using LayerMaker = std::unique_ptr<ChainLayer> (*)(const kernels::KernelTable&, const ConvNorm&,
                                                   const Shape&);

// What convolves it, or null.
LayerMaker maker(const Shape& x, const ConvNorm& layer) {
  const kernels::Window window = conv2d_window(x, layer.weight.shape(), layer.options);
  const std::size_t groups = layer.options.groups;
  if (is_pointwise(window, groups)) {
    return make_pointwise_layer;
  }
  if (groups == 1) {
    return make_general_layer;
  }
  const bool is_depthwise = groups == x[3] && groups == layer.weight.shape()[0];
  return is_depthwise && is_depthwise3x3(window) ? make_depthwise_layer : nullptr;
}

}  // namespace

bool is_conv_norm_chain(const Shape& x, const std::vector<ConvNorm>& layers) {
  Shape shape = x;
  for (const ConvNorm& layer : layers) {
    const LayerMaker make = maker(shape, layer);
    if (make == nullptr || (make == make_general_layer && &layer != &layers.front())) {
      return false;
    }
    shape = conv2d_shape(shape, layer.weight.shape(), layer.options);
  }
  return !layers.empty();
}

Chain::Chain(const Tensor& x, const std::vector<ConvNorm>& layers)
    : kernels_(active_kernels()), x_(x.detached()) {
  Shape shape = x.shape();
  for (const ConvNorm& layer : layers) {
    Stage& stage = *stages_.emplace_back(std::make_unique<Stage>());
    stage.layer = layer;
    stage.convolution = maker(shape, layer)(kernels_, stage.layer, shape);
    shape = stage.convolution->output();
    stage.count = shape.size() / shape[3];
  }
}

Tensor Chain::forward(const float* residual) {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    Stage& stage = *stages_[i];
    ChainMoments moments(stage.convolution->tasks(), stage.layer.gamma.size());
    convolve(i, &moments);
    stage.normalize(moments.statistics());
  }
  return result(residual);
}

void Chain::forget() {
  for (auto& stage : stages_) {
    stage->z = {};
  }
}

void Chain::remember() {
  for (std::size_t i = 0; i < stages_.size(); ++i) {
    convolve(i, nullptr);
  }
}

std::vector<ParameterGradients> Chain::backward(Tensor dy, Wants wants, Tensor& dx) {
  std::vector<ParameterGradients> gradients(stages_.size());
  TaskSums sums = last_sums(dy);
  for (std::size_t i = stages_.size(); i-- > 0;) {
    Stage& stage = *stages_[i];
    const ChainSource from = source(i);
    const ChainUpstream up = stage.upstream(dy, sums.totals(), gradients[i]);
    ChainDownstream down{.dx = {},
                         .sums = TaskSums(stage.convolution->tasks(), from.values.shape()[3])};
    if (i > 0 || wants == Wants::parameters_and_x) {
      down.dx = Tensor::uninitialized(from.values.shape());
    }
    gradients[i].weight = stage.convolution->backward(from, up, down);
    stage.z = {};
    dy = std::move(down.dx);
    sums = std::move(down.sums);
  }
  dx = std::move(dy);
  return gradients;
}

ChainSource Chain::source(std::size_t stage) const {
  return stage == 0 ? ChainSource{.values = x_} : stages_[stage - 1]->result();
}

void Chain::convolve(std::size_t stage, ChainMoments* moments) {
  Tensor& z = stages_[stage]->z;
  z = Tensor::uninitialized(stages_[stage]->convolution->output());
  stages_[stage]->convolution->forward(source(stage), z, moments);
}

void Chain::Stage::normalize(const BatchStatistics& batch) {
  update_running(batch, layer.momentum, layer.running_mean, layer.running_variance);
  norm = std::make_unique<Normalization>(batch.mean, batch.variance, layer.gamma, layer.beta,
                                         layer.epsilon);
}

ChainUpstream Chain::Stage::upstream(const Tensor& dy, const ChannelSums& sums,
                                     ParameterGradients& gradients) const {
  const NormParameterGradients parameters(*norm, sums);
  gradients.gamma = parameters.gamma;
  gradients.beta = parameters.beta;
  return {.z = z,
          .dy = dy,
          .norm = *norm,
          .bounds = layer.bounds,
          .terms = InputTerms(*norm, sums, count, Statistics::of_batch)};
}

Tensor Chain::result(const float* residual) const {
  const Stage& last = *stages_.back();
  const ChainSource source = last.result();
  const NormalizedRows rows = source.normalized(kernels_);
  const std::size_t channels = rows.channels();
  Tensor y = Tensor::uninitialized(last.z.shape());
  float* const to = y.data();
  parallel_blocks(last.count, task_rows(channels), [&](std::size_t begin, std::size_t end) {
    rows.apply(begin, end - begin, to + begin * channels,
               residual == nullptr ? nullptr : residual + begin * channels);
  });
  return y;
}

TaskSums Chain::last_sums(const Tensor& dy) const {
  const Stage& last = *stages_.back();
  const std::size_t channels = last.layer.gamma.size();
  const TaskCut cut = cut_tasks(divide_up(last.count, kSumRows), channels, last.count * channels);
  TaskSums sums(cut.tasks, channels);
  const ChainSource values = last.result();
  parallel_for(cut.tasks, [&](std::size_t task) {
    const std::size_t begin = cut.begin(task) * kSumRows;
    const std::size_t end = std::min(last.count, cut.end(task) * kSumRows);
    add_norm_sums(kernels_, values, dy.data(), begin, end - begin, sums, task);
  });
  return sums;
}

}  // namespace lamina::nn

#include "benchmarks/training_layers.h"

#include <array>
#include <chrono>
#include <limits>
#include <memory>

#include "benchmarks/kernel_cases.h"
#include "benchmarks/timed_kernels.h"
#include "core/parallel.h"
#include "nn/conv_norm/layer.h"
#include "nn/kernels.h"

namespace lamina::benchmarks {
namespace {

using Kind = LayerInfo::Kind;

nn::Normalization random_norm(const Tensor& gamma) {
  const std::size_t channels = gamma.size();
  return {std::vector<double>(channels), std::vector<double>(channels, 1.0 / 3), gamma,
          random_tensor({channels}), 1e-5f};
}

/// A layer of a network in training.
struct Place {
  const nn::ConvNormActivation* layer;
  enum class Source { image, values, normalized } source;
};

/// A layer with all that it reads and writes.
class LayerRun {
 public:
  LayerRun(const Place& place, const LayerInfo& info, const kernels::KernelTable& table)
      : source_(place.source),
        bounds_(place.layer->bounds()),
        layer_{.weight = random_tensor(place.layer->convolution().weight.shape()),
               .gamma = Tensor::full({info.output[3]}, 1.0f),
               .beta = {},
               .running_mean = {},
               .running_variance = {},
               .options = info.options},
        source_norm_(random_norm(Tensor::full({info.input[3]}, 1.0f))),
        norm_(random_norm(layer_.gamma)),
        x_(random_tensor(info.input)),
        z_(random_tensor(info.output)),
        dy_(random_tensor(info.output)) {
    layer_.options.bounds = {};
    convolution_ =
        info.kind == Kind::depthwise     ? nn::make_depthwise_layer(table, layer_, x_.shape())
        : info.kind == Kind::convolution ? nn::make_general_layer(table, layer_, x_.shape())
                                         : nn::make_pointwise_layer(table, layer_, x_.shape());
  }

  void forward() {
    nn::ChainMoments moments(convolution_->tasks(), channels());
    Tensor z = Tensor::uninitialized(z_.shape());
    convolution_->forward(source(), z, &moments);
  }

  void backward() {
    const std::vector<double> sums(channels());
    const nn::ChainUpstream up{
        .z = z_,
        .dy = dy_,
        .norm = norm_,
        .bounds = bounds_,
        .terms = nn::InputTerms(norm_, {sums, sums}, 1, nn::Statistics::of_batch)};
    nn::ChainDownstream down{.dx = {}, .sums = nn::TaskSums(convolution_->tasks(), x_.shape()[3])};
    if (source_ != Place::Source::image) {
      down.dx = Tensor::uninitialized(x_.shape());
    }
    convolution_->backward(source(), up, down);
  }

 private:
  std::size_t channels() const { return layer_.gamma.size(); }
  nn::ChainSource source() const {
    return {.values = x_,
            .norm = source_ == Place::Source::normalized ? &source_norm_ : nullptr,
            .bounds = {.lo = 0.0f, .hi = 6.0f}};
  }

  Place::Source source_;
  nn::Bounds bounds_;
  nn::ConvNorm layer_;
  nn::Normalization source_norm_, norm_;
  Tensor x_, z_, dy_;
  std::unique_ptr<nn::ChainLayer> convolution_;
};

/// The least seconds of some runs, and of its kernels in that run.
struct Best {
  double seconds = std::numeric_limits<double>::infinity();
  WorkSeconds works{};

  template <class Run>
  void time(const Run& run) {
    using Clock = std::chrono::steady_clock;
    take_seconds();
    const auto start = Clock::now();
    run();
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    const WorkSeconds taken = take_seconds();
    if (elapsed < seconds) {
      seconds = elapsed;
      works = taken;
    }
  }

  // Of each thread.
  double of(Work work) const {
    return works[static_cast<std::size_t>(work)] / static_cast<double>(thread_count());
  }
};

double bytes(const Shape& shape) { return 4.0 * static_cast<double>(shape.size()); }

LayerTimes times_of(const LayerInfo& info, Place::Source source, const Best& forward,
                    const Best& backward) {
  const double operations = 2.0 * static_cast<double>(info.multiply_adds);
  const double z = bytes(info.output);
  const double both = bytes(info.input) + z;
  const double normalized = source == Place::Source::normalized ? bytes(info.input) : 0.0;
  LayerTimes times{.name = info.name,
                   .input = info.input,
                   .output = info.output,
                   .forward_seconds = forward.seconds,
                   .backward_seconds = backward.seconds};
  times.forward = {forward.of(Work::product), operations, both};
  times.weight_gradient = {backward.of(Work::weight_gradient), operations, both};
  if (source == Place::Source::image) {
    times.weight_gradient.seconds += backward.of(Work::product);  // its columns
  } else {
    times.input_gradient = {backward.of(Work::product) + backward.of(Work::input_gradient),
                            operations, both};
  }
  // Forward reads source and z; backward z and dy, the source, and again the source with dx.
  times.forward_norm = {forward.of(Work::norm), 0.0, z + normalized};
  times.backward_norm = {backward.of(Work::norm), 0.0, 2.0 * z + 3.0 * normalized};
  return times;
}

// Every convolution in order.
std::vector<Place> places(const models::MobileNetV2& net) {
  using Source = Place::Source;
  std::vector<Place> result = {{&net.stem(), Source::image}};
  for (const auto& block : net.blocks()) {
    const bool follows_stem = result.size() == 1;
    for (const models::InvertedResidual::Part& part : block->parts()) {
      const bool begins_chain = part.layer == block->parts().front().layer && !follows_stem;
      result.push_back({part.layer, begins_chain ? Source::values : Source::normalized});
    }
  }
  result.push_back({&net.last(), Source::values});
  return result;
}

// The classifier as its op: each gradient is that of a run in which nothing else is tracked.
LayerTimes time_classifier(const LayerInfo& info, int rounds) {
  const double operations = 2.0 * static_cast<double>(info.multiply_adds);
  const Shape weight_shape = {info.output[1], info.input[1]};
  const double arrays = bytes(info.input) + bytes(info.output) + bytes(weight_shape);
  Tensor x = random_tensor(info.input);
  Tensor weight = random_tensor(weight_shape);
  const Tensor bias = random_tensor({info.output[1]});
  const Tensor dy = random_tensor(info.output);
  Best forward;
  std::array<Best, 2> backward;
  for (int i = 0; i <= rounds; ++i) {
    forward.time([&] { nn::linear(x, weight, bias); });
    for (std::size_t k = 0; k < 2; ++k) {
      Tensor tracked = (k == 0 ? x : weight).detached();
      tracked.track();
      const Tensor y = k == 0 ? nn::linear(tracked, weight, bias) : nn::linear(x, tracked, bias);
      backward[k].time([&] { y.backward(dy); });
    }
  }
  LayerTimes times{.name = info.name,
                   .input = {info.input[0], 1, 1, info.input[1]},
                   .output = {info.output[0], 1, 1, info.output[1]},
                   .forward_seconds = forward.seconds,
                   .backward_seconds = backward[0].seconds + backward[1].seconds};
  times.forward = {forward.seconds, operations, arrays};
  times.input_gradient = {backward[0].seconds, operations, arrays};
  times.weight_gradient = {backward[1].seconds, operations, arrays};
  return times;
}

}  // namespace

std::vector<LayerTimes> measure_layers(models::MobileNetV2& net, const Shape& images, int rounds) {
  const kernels::KernelTable table = timed_kernels(nn::active_kernels());
  const std::vector<Place> all = places(net);
  std::vector<LayerTimes> result;
  for (const LayerInfo& info : net.layers(images)) {
    if (info.kind == Kind::add || info.kind == Kind::pool) {
      continue;
    }
    if (info.kind == Kind::linear) {
      result.push_back(time_classifier(info, rounds));
      continue;
    }
    const Place& place = all.at(result.size());
    LayerRun run(place, info, table);
    run.forward();
    run.backward();
    Best forward;
    Best backward;
    for (int i = 0; i < rounds; ++i) {
      forward.time([&run] { run.forward(); });
      backward.time([&run] { run.backward(); });
    }
    result.push_back(times_of(info, place.source, forward, backward));
  }
  return result;
}

}  // namespace lamina::benchmarks

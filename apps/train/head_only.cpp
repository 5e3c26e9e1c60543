#include "apps/train/head_only.h"

#include <algorithm>
#include <numeric>

#include "apps/support/stop_signal.h"
#include "core/error.h"
#include "data/keyed_rng.h"
#include "nn/graph.h"
#include "nn/plan.h"

namespace lamina::apps {
namespace {

// The network without its head.
class Backbone : public nn::Module {
 public:
  explicit Backbone(models::MobileNetV2& net) : net_(net) {}

  Tensor forward(const Tensor& x) const override { return net_.features(x); }
  void members(nn::Members& visit) override { visit.module("", net_); }

 private:
  models::MobileNetV2& net_;
};

}  // namespace

std::optional<Features> compute_features(models::MobileNetV2& net, std::size_t resolution,
                                         Source& pictures,
                                         const std::function<void(std::size_t)>& progress) {
  net.eval();
  Backbone backbone(net);
  const nn::Plan plan = nn::compile(nn::trace(backbone, {1, resolution, resolution, 3}));
  const std::size_t width = plan.output_shape()[1];
  Features features{Tensor::uninitialized({pictures.pictures(), width}), {}};
  pictures.seek({});
  while (const auto batch = pictures.next()) {
    if (stop_requested()) {
      return std::nullopt;
    }
    const Tensor values = plan(batch->images);
    std::ranges::copy(values.values(), features.values.data() + features.labels.size() * width);
    features.labels.insert(features.labels.end(), batch->labels.begin(), batch->labels.end());
    progress(features.labels.size());
  }
  return features;
}

nn::Module& head_of(models::MobileNetV2& net) {
  nn::Module* head = nullptr;
  nn::for_each_module(net, [&head](const std::string& name, nn::Module& part) {
    head = name == "classifier" ? &part : head;
  });
  check(head != nullptr, "head_of: the network must have a classifier");
  return *head;
}

FeatureSource::FeatureSource(Features features, const Options& options)
    : features_(std::move(features)), options_(options), order_(features_.labels.size()) {
  shuffle();
}

std::size_t FeatureSource::batches() const {
  const std::size_t all = features_.labels.size();
  return options_.drop_last ? all / options_.batch : (all + options_.batch - 1) / options_.batch;
}

std::size_t FeatureSource::pictures() const {
  return std::min(batches() * options_.batch, features_.labels.size());
}

void FeatureSource::seek(const data::LoaderPosition& position) {
  position_ = position;
  shuffle();
}

std::optional<data::Batch> FeatureSource::next() {
  if (position_.batch == batches()) {
    seek({position_.epoch + 1, 0});
    return std::nullopt;
  }
  const std::size_t width = features_.values.shape()[1];
  const std::size_t first = position_.batch++ * options_.batch;
  const std::size_t count = std::min(options_.batch, features_.labels.size() - first);
  data::Batch batch{Tensor::uninitialized({count, width}), {}, {}, {}};
  const Tensor& values = features_.values;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = order_[first + i];
    std::copy_n(values.data() + index * width, width, batch.images.data() + i * width);
    batch.labels.push_back(features_.labels[index]);
    batch.indices.push_back(index);
  }
  return batch;
}

void FeatureSource::shuffle() {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (options_.order == Order::as_they_are) {
    return;
  }
  Rng rng = data::keyed_rng(options_.seed, data::Purpose::shuffling, position_.epoch, 0);
  for (std::size_t i = order_.size(); i > 1; --i) {
    std::swap(order_[i - 1], order_[rng.below(i)]);
  }
}

}  // namespace lamina::apps

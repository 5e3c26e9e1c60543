#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/train/source.h"
#include "core/tensor.h"
#include "models/mobilenet_v2.h"

/// Training the head alone: what the frozen layers before it make of a picture never changes, so it
/// is computed once.
namespace lamina::apps {

/// The pooled features of pictures, and their labels.
struct Features {
  Tensor values;  ///< [pictures, features]
  std::vector<std::uint32_t> labels;
};

/// Runs everything before the head over one epoch of `pictures`; `progress` is told how many are
/// done. Empty when a signal asked to stop.
std::optional<Features> compute_features(models::MobileNetV2& net, std::size_t resolution,
                                         Source& pictures,
                                         const std::function<void(std::size_t)>& progress);

/// The classifier of the network, as a module to train.
nn::Module& head_of(models::MobileNetV2& net);

/// Batches of features [N, features], in another order every epoch, a function of seed and epoch.
class FeatureSource : public Source {
 public:
  enum class Order { shuffled, as_they_are };
  struct Options {
    std::size_t batch;
    std::uint64_t seed = 0;
    Order order = Order::shuffled;
    bool drop_last = false;
  };
  FeatureSource(Features features, const Options& options);

  std::size_t pictures() const override;
  std::size_t batches() const override;
  data::LoaderPosition position() const override { return position_; }
  void seek(const data::LoaderPosition& position) override;
  std::optional<data::Batch> next() override;

 private:
  void shuffle();

  Features features_;
  Options options_;
  data::LoaderPosition position_;
  std::vector<std::size_t> order_;  // of the epoch
};

}  // namespace lamina::apps

#include "data/loader_batches.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "data/keyed_rng.h"

namespace lamina::data {
namespace {

DatasetHandle checked(DatasetHandle dataset) {
  check(dataset != nullptr && dataset->size() > 0,
        "Loader: the set must have pictures: there is none");
  check(dataset->size() <= kMaxPictures, "Loader: the set must have at most ", kMaxPictures,
        " pictures: has ", dataset->size());
  return dataset;
}

}  // namespace

BatchMaker::BatchMaker(DatasetHandle dataset, const LoaderOptions& options)
    : dataset_(checked(std::move(dataset))),
      options_(options),
      transform_(options.preprocessing, options.augmentation) {
  const std::size_t size = dataset_->size();
  check(options.batch > 0, "Loader: batch must be positive: 0");
  check(options.threads <= kMaxThreads, "Loader: threads must be at most ", kMaxThreads, ": ",
        options.threads);
  check(!options.drop_last || options.batch <= size,
        "Loader: with drop_last, a batch must not be larger than the set: ", options.batch, " of ",
        size, " pictures");
  check_mix(options.mix);
  batches_ = size / options.batch + (!options.drop_last && size % options.batch > 0 ? 1 : 0);
}

Batch BatchMaker::make(const LoaderPosition& position, const std::stop_token& stop) const {
  const std::shared_ptr<const Order> order = order_of(position.epoch);
  const std::size_t first = position.batch * options_.batch;
  const std::size_t count = std::min(options_.batch, order->size() - first);
  const auto begin = order->begin() + static_cast<std::ptrdiff_t>(first);
  const std::size_t side = options_.preprocessing.crop;
  Batch batch{.images = Tensor::uninitialized({count, side, side, 3}),
              .labels = {},
              .targets = {},
              .indices = Order(begin, begin + static_cast<std::ptrdiff_t>(count))};
  Image image;
  std::span<float> out = batch.images.values();
  for (const std::size_t index : batch.indices) {
    if (stop.stop_requested()) {
      return batch;
    }
    dataset_->read(index, image);
    Rng rng = keyed_rng(options_.seed, Purpose::augmentation, position.epoch, index);
    transform_(image, rng, out.first(transform_.size()));
    out = out.subspan(transform_.size());
    batch.labels.push_back(dataset_->label(index));
  }
  if (options_.mix.enabled()) {
    Rng rng = keyed_rng(options_.seed, Purpose::mixing, position.epoch, position.batch);
    batch.targets = mix_batch(options_.mix, batch.images, batch.labels, dataset_->classes(), rng);
  }
  return batch;
}

std::shared_ptr<const BatchMaker::Order> BatchMaker::order_of(std::size_t epoch) const {
  const std::lock_guard lock(mutex_);
  EpochOrder& kept = orders_[epoch % 2];
  if (kept.order == nullptr || (options_.shuffle && kept.epoch != epoch)) {
    kept = {epoch, std::make_shared<const Order>(shuffled(epoch))};
  }
  return kept.order;
}

BatchMaker::Order BatchMaker::shuffled(std::size_t epoch) const {
  Order order(dataset_->size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (options_.shuffle) {
    Rng rng = keyed_rng(options_.seed, Purpose::shuffling, epoch, 0);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[rng.below(i)]);
    }
  }
  return order;
}

}  // namespace lamina::data

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

#include "data/loader.h"
#include "data/transform.h"

namespace lamina::data {

/// The batches of a set, each a function of its position. For any number of threads at once.
class BatchMaker {
 public:
  /// Throws Error as Loader's constructor does.
  BatchMaker(DatasetHandle dataset, const LoaderOptions& options);

  /// In an epoch.
  std::size_t batches() const { return batches_; }

  /// Stops after the picture it is at, and gives what there is, when `stop` asks for it.
  Batch make(const LoaderPosition& position, const std::stop_token& stop) const;

  const Dataset& dataset() const { return *dataset_; }
  const LoaderOptions& options() const { return options_; }

 private:
  using Order = std::vector<std::size_t>;

  std::shared_ptr<const Order> order_of(std::size_t epoch) const;
  Order shuffled(std::size_t epoch) const;

  DatasetHandle dataset_;
  LoaderOptions options_;
  Transform transform_;
  std::size_t batches_;
  // The last two epochs': where one ends, threads work on both.
  struct EpochOrder {
    std::size_t epoch = 0;
    std::shared_ptr<const Order> order;
  };
  mutable std::mutex mutex_;
  mutable std::array<EpochOrder, 2> orders_;
};

}  // namespace lamina::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "core/tensor.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/mix.h"
#include "data/preprocessing.h"

namespace lamina::data {

struct LoaderOptions {
  std::size_t batch = 32;    ///< pictures
  std::uint64_t seed = 0;    ///< of the order, the augmentation and the mixing
  std::size_t threads = 1;   ///< that decode and augment; 0: the caller's, in next()
  std::size_t prefetch = 4;  ///< batches made ahead at most, but one for each thread
  bool shuffle = true;       ///< another order every epoch; else that of the set
  bool drop_last = false;    ///< leave the last batch of an epoch out when it is not full
  std::size_t epochs = std::numeric_limits<std::size_t>::max();  ///< after which there is no more
  Preprocessing preprocessing = {};
  Augmentation augmentation = {};
  Mix mix = {};
};

/// What a step of training takes.
struct Batch {
  Tensor images;                      ///< [N, crop, crop, 3]
  std::vector<std::uint32_t> labels;  ///< [N]
  Tensor targets;                     ///< [N, classes], rows sum to 1; empty unless mixed
  std::vector<std::size_t> indices;   ///< [N], of the pictures in the set
};

/// Where a loader stands: the batch that comes next.
struct LoaderPosition {
  std::size_t epoch = 0;
  std::size_t batch = 0;  ///< batches() at the end of an epoch

  bool operator==(const LoaderPosition&) const = default;
};

/// Hands out a set in batches, epoch after epoch, made ahead on threads of its own. Each batch is a
/// function of the set, the options and its position: the same bits for any number of threads and
/// from wherever seek() came.
///
///     data::Loader loader(data::open_dataset(folder), {.batch = 128, .seed = 7});
///     for (std::size_t epoch = 0; epoch < 10; ++epoch) {
///       for (const data::Batch& batch : loader) { ... }
///     }
class Loader {
 public:
  /// Throws Error when the set is empty, the options are out of range, or drop_last leaves nothing.
  Loader(DatasetHandle dataset, const LoaderOptions& options);
  ~Loader();  ///< Stops the threads, each after the picture it is at.
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// Batches in an epoch.
  std::size_t batches() const;

  LoaderPosition position() const;

  /// Goes on from another position, such as one kept in a checkpoint. Throws Error unless
  /// position.batch <= batches() and position.epoch < 2^20.
  void seek(const LoaderPosition& position);

  /// The next batch; empty once at the end of each epoch, and always after the last. Rethrows what
  /// making the batch threw, such as an Error naming a broken file; the position is then still that
  /// batch's, and seek() passes over it.
  std::optional<Batch> next();

  const Dataset& dataset() const;
  const LoaderOptions& options() const;

  /// Walks through the rest of the epoch.
  class Iterator {
   public:
    explicit Iterator(Loader& loader) : loader_(&loader), batch_(loader.next()) {}
    const Batch& operator*() const { return *batch_; }
    Iterator& operator++() {
      batch_ = loader_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return !batch_; }

   private:
    Loader* loader_;
    std::optional<Batch> batch_;
  };
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }

 private:
  class Workers;
  std::unique_ptr<Workers> workers_;
};

}  // namespace lamina::data

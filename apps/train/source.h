#pragma once

#include <cstddef>
#include <optional>

#include "data/loader.h"

namespace lamina::apps {

/// Where batches come from: pictures, or features computed from them once.
class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  virtual std::size_t pictures() const = 0;  ///< of an epoch
  virtual std::size_t batches() const = 0;   ///< of an epoch
  virtual data::LoaderPosition position() const = 0;
  virtual void seek(const data::LoaderPosition& position) = 0;

  /// The next batch; empty once at the end of each epoch.
  virtual std::optional<data::Batch> next() = 0;
};

class LoaderSource : public Source {
 public:
  LoaderSource(data::DatasetHandle dataset, const data::LoaderOptions& options)
      : loader_(std::move(dataset), options) {}

  std::size_t pictures() const override {
    const std::size_t all = loader_.dataset().size();
    return loader_.options().drop_last ? batches() * loader_.options().batch : all;
  }
  std::size_t batches() const override { return loader_.batches(); }
  data::LoaderPosition position() const override { return loader_.position(); }
  void seek(const data::LoaderPosition& position) override { loader_.seek(position); }
  std::optional<data::Batch> next() override { return loader_.next(); }

 private:
  data::Loader loader_;
};

}  // namespace lamina::apps

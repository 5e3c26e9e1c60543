#include "data/loader.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

#include "core/error.h"
#include "data/keyed_rng.h"
#include "data/loader_batches.h"

namespace lamina::data {

/// Steps number the batches of all epochs. Threads take the next step that is not too far ahead of
/// the one handed out next, and leave what they made under its number.
class Loader::Workers {
 public:
  Workers(DatasetHandle dataset, const LoaderOptions& options);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void start();
  void seek(const LoaderPosition& position);
  std::optional<Batch> next();

  const BatchMaker& maker() const { return maker_; }
  const LoaderPosition& position() const { return position_; }

 private:
  using Step = std::uint64_t;
  struct Made {
    Batch batch;
    std::exception_ptr error;
  };

  void work();
  Made make(Step step, const std::stop_token& stop) const;
  Batch take();
  bool is_claimable() const { return claimed_ < std::min(end_, next_ + ahead_); }
  Step step_of(const LoaderPosition& position) const {
    return Step{position.epoch} * maker_.batches() + position.batch;
  }

  const BatchMaker maker_;
  const Step end_, ahead_;
  LoaderPosition position_;  // the caller's alone

  std::mutex mutex_;  // guards what follows
  std::condition_variable may_claim_, has_made_;
  Step next_ = 0, claimed_ = 0;
  std::map<Step, Made> made_;
  std::stop_source stop_;  // of the steps claimed since the last seek()
  bool closing_ = false;

  std::vector<std::jthread> threads_;  // destroyed first
};

Loader::Workers::Workers(DatasetHandle dataset, const LoaderOptions& options)
    : maker_(std::move(dataset), options),
      end_(std::min<Step>(options.epochs, kMaxEpochs) * maker_.batches()),
      ahead_(std::max({options.prefetch, options.threads, std::size_t{1}})) {}

Loader::Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    stop_.request_stop();
  }
  may_claim_.notify_all();
}

void Loader::Workers::start() {
  for (std::size_t i = 0; i < maker_.options().threads; ++i) {
    threads_.emplace_back([this] { work(); });
  }
}

void Loader::Workers::seek(const LoaderPosition& position) {
  check(position.batch <= maker_.batches() && position.epoch < kMaxEpochs,
        "Loader::seek: there must be such a batch: epoch ", position.epoch, ", batch ",
        position.batch, ", with ", maker_.batches(), " batches in each of ", kMaxEpochs, " epochs");
  position_ = position;
  {
    const std::lock_guard lock(mutex_);
    stop_.request_stop();
    stop_ = std::stop_source();
    made_.clear();
    next_ = claimed_ = step_of(position);
  }
  may_claim_.notify_all();
}

std::optional<Batch> Loader::Workers::next() {
  if (position_.batch == maker_.batches()) {
    position_ = {position_.epoch + 1, 0};
    return std::nullopt;
  }
  if (step_of(position_) >= end_) {
    return std::nullopt;
  }
  std::optional<Batch> batch = threads_.empty() ? maker_.make(position_, {}) : take();
  ++position_.batch;
  return batch;
}

Batch Loader::Workers::take() {
  std::unique_lock lock(mutex_);
  has_made_.wait(lock, [&] { return made_.contains(next_); });
  const auto found = made_.find(next_);
  if (found->second.error) {
    std::rethrow_exception(found->second.error);
  }
  Batch batch = std::move(found->second.batch);
  made_.erase(found);
  ++next_;
  lock.unlock();
  may_claim_.notify_one();
  return batch;
}

void Loader::Workers::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    may_claim_.wait(lock, [&] { return closing_ || is_claimable(); });
    if (closing_) {
      return;
    }
    const Step step = claimed_++;
    const std::stop_token stop = stop_.get_token();
    lock.unlock();
    Made made = make(step, stop);
    lock.lock();
    if (!stop.stop_requested()) {
      made_.emplace(step, std::move(made));
      has_made_.notify_one();
    }
  }
}

Loader::Workers::Made Loader::Workers::make(Step step, const std::stop_token& stop) const {
  try {
    return {maker_.make({step / maker_.batches(), step % maker_.batches()}, stop), nullptr};
  } catch (...) {
    return {{}, std::current_exception()};
  }
}

Loader::Loader(DatasetHandle dataset, const LoaderOptions& options)
    : workers_(std::make_unique<Workers>(std::move(dataset), options)) {
  workers_->start();
}

Loader::~Loader() = default;

std::size_t Loader::batches() const { return workers_->maker().batches(); }

LoaderPosition Loader::position() const { return workers_->position(); }

void Loader::seek(const LoaderPosition& position) { workers_->seek(position); }

std::optional<Batch> Loader::next() { return workers_->next(); }

const Dataset& Loader::dataset() const { return workers_->maker().dataset(); }

const LoaderOptions& Loader::options() const { return workers_->maker().options(); }

}  // namespace lamina::data

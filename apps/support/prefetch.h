#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <utility>

namespace lamina::apps {

/// Makes items 0, 1, ..., count - 1 on threads of their own, at most `ahead` before they are asked
/// for, and hands them out in order.
template <class Item>
class Prefetch {
 public:
  struct Options {
    std::size_t count;
    std::size_t ahead;  ///< at least 1
  };
  using Make = std::function<Item(std::size_t index)>;

  Prefetch(const Options& options, Make make) : options_(options), make_(std::move(make)) {
    start();
  }

  /// Waits for the next item, at most `count` times; rethrows what making it threw.
  Item next() {
    std::future<Item> item = std::move(pending_.front());
    pending_.pop_front();
    item.wait();
    start();
    return item.get();
  }

 private:
  void start() {
    while (pending_.size() < options_.ahead && started_ < options_.count) {
      pending_.push_back(std::async(std::launch::async, std::cref(make_), started_++));
    }
  }

  Options options_;
  Make make_;
  std::size_t started_ = 0;
  std::deque<std::future<Item>> pending_;  // destroyed first: waits for its threads
};

}  // namespace lamina::apps

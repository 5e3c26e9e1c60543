#pragma once

#include <cstddef>
#include <string>

#include "apps/support/bar.h"
#include "apps/support/console.h"
#include "apps/support/timing.h"
#include "apps/train/log.h"

namespace lamina::apps {

/// Where an epoch stands.
struct EpochProgress {
  std::size_t epoch, epochs;  ///< the first is 0
  std::size_t batch, batches;
  double loss, top1, rate;  ///< means over the epoch so far, the rate of the last step
  double images_per_second;
  double seconds_left;  ///< of the whole training
};

/// "epoch 3/10 [####    ] 50/100  2130 images/s  loss 0.512  top-1 81.2 %  rate 0.045  2 min left"
std::string progress_line(const EpochProgress& progress, const Canvas& canvas);

/// A line with the figures of an epoch that is over.
std::string epoch_line(const LogEntry& entry, std::size_t epochs);

/// Keeps the console's status line up to date, ten times a second at most.
class Display {
 public:
  explicit Display(Console& console);
  ~Display() { console_.set_status({}); }
  Display(const Display&) = delete;
  Display& operator=(const Display&) = delete;

  void update(const EpochProgress& progress);
  /// A status without a bar, until the next update.
  void say(const std::string& what) { console_.set_status(what); }

 private:
  Console& console_;
  Canvas canvas_;
  Stopwatch started_;
  double next_draw_ = 0.0;
};

}  // namespace lamina::apps

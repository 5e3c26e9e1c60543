#pragma once

#include <cstddef>
#include <string>

#include "apps/support/bar.h"
#include "apps/support/console.h"
#include "apps/support/timing.h"

namespace lamina::apps {

/// A line such as "[#####     ] 50/100  21.3 images/s  2 s left".
struct ProgressState {
  std::size_t done, total;
  double seconds;  ///< since the start
};
std::string progress_line(const ProgressState& state, const Canvas& canvas);

/// Keeps the console's status line up to date while `total` images, two or more, are worked on.
class Progress {
 public:
  Progress(Console& console, std::size_t total);
  ~Progress() { console_.set_status({}); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Says that `done` images are behind us. Redraws ten times a second at most.
  void update(std::size_t done);

 private:
  Console& console_;
  std::size_t total_;
  Canvas canvas_;
  Stopwatch started_;
  double next_draw_ = 0.0;
};

}  // namespace lamina::apps

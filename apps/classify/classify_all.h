#pragma once

#include <cstddef>
#include <vector>

#include "apps/classify/options.h"
#include "apps/classify/sheet.h"
#include "apps/support/console.h"
#include "apps/support/pictures.h"
#include "apps/support/timing.h"
#include "models/compiled_classifier.h"

namespace lamina::apps {

/// What came of many pictures.
struct Tally {
  std::size_t done = 0;
  std::size_t failed = 0;
  std::size_t checked = 0;  ///< those whose class is known
  std::size_t right = 0;    ///< of these
  double seconds = 0.0;
  std::vector<PictureTimes> times;
  std::vector<SheetPicture> sheet;  ///< empty unless options ask for one
};

/// Classifies and prints one picture after the other, reports those that cannot be read, and stops
/// early when a signal asks for it.
Tally classify_all(const models::CompiledClassifier& network, const std::vector<Picture>& pictures,
                   const ClassifyOptions& options, Console& console);

}  // namespace lamina::apps

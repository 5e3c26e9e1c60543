#pragma once

#include <string>
#include <vector>

#include "apps/classify/classify_all.h"
#include "apps/classify/options.h"
#include "apps/support/pictures.h"
#include "apps/support/predictions.h"
#include "apps/support/timing.h"

namespace lamina::apps {

/// What classify found in one picture.
struct PictureResult {
  const Picture& picture;
  std::string truth;  ///< the label that it should have, of pictures of data sets
  std::vector<Prediction> predictions;
  PictureTimes times;

  /// Not known to be wrong.
  bool is_right() const { return !picture.set || predictions.front().index == picture.truth; }
};

/// The text that classify prints for a picture: its name and a table, or a line of JSON,
/// {"file", "predictions": [{"index", "label", "probability", "logit"}], "time_ms"}. Bytes of the
/// name that are not UTF-8 become U+FFFD in JSON. Of data sets' pictures a line with number, best
/// class and what it should be, and a table only where more than one class is asked for; in JSON,
/// "number", "truth": {"index", "label"} and "right" come after "file".
std::string as_output(const PictureResult& result, const ClassifyOptions& options);

/// The line that counts right ones: {"summary": {"pictures", "right", "share",
/// "images_per_second"}} in JSON. Empty where no picture's class is known.
std::string summary(const Tally& tally, const ClassifyOptions& options);

/// "12 pictures" or "46 of 48 right (95.83%)".
std::string title(const Tally& tally);

}  // namespace lamina::apps

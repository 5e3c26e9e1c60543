#pragma once

#include <string>
#include <vector>

#include "apps/classify/options.h"
#include "apps/support/predictions.h"
#include "apps/support/timing.h"

namespace lamina::apps {

/// What classify found in one picture.
struct PictureResult {
  std::string file;
  std::vector<Prediction> predictions;
  PictureTimes times;
};

/// The text that classify prints for a picture: its name and a table, or a line of JSON,
/// {"file", "predictions": [{"index", "label", "probability", "logit"}], "time_ms"}. Bytes of the
/// name that are not UTF-8 become U+FFFD in JSON.
std::string as_output(const PictureResult& result, const ClassifyOptions& options);

}  // namespace lamina::apps

#pragma once

#include "apps/convert/options.h"
#include "models/load.h"

namespace lamina::apps {

/// Writes the network with its labels and preprocessing. Throws Error when it cannot.
void write(models::Classifier& classifier, const ConvertOptions& options);

/// How far the written file's network is from the one in memory, on a random picture.
struct Difference {
  double largest = 0.0;    ///< of the logits
  double scale = 0.0;      ///< the largest logit
  double tolerance = 0.0;  ///< what rounding of that type explains, as a part of the scale

  bool is_rounding() const { return largest <= tolerance * scale; }
};
Difference compare(const models::Classifier& classifier, const ConvertOptions& options);

}  // namespace lamina::apps

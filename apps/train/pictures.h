#pragma once

#include <string>

#include "apps/train/recipe.h"
#include "data/dataset.h"

namespace lamina::apps {

/// What to train with and what to validate on.
struct TrainingPictures {
  data::DatasetHandle training, validation;
  std::string validated_on;  ///< "test split" or "held out"

  /// Numbers and class names in one text: another text, other pictures.
  std::string identity() const;
};

/// Opens the data set that `name` stands for: a folder, or a known word. Throws Error when it is
/// not there, has fewer than two classes, or nothing to validate on.
TrainingPictures open_pictures(const std::string& name, const Recipe& recipe);

}  // namespace lamina::apps

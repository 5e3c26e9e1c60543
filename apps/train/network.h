#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/train/recipe.h"
#include "data/dataset.h"
#include "data/preprocessing.h"
#include "models/mobilenet_v2.h"

namespace lamina::apps {

/// A network at its start.
struct NewNetwork {
  std::unique_ptr<models::MobileNetV2> net;
  data::Preprocessing preprocessing;
  std::vector<std::string> remarks;  ///< on what `init` was taken to be
};

/// Builds and initializes the network of the recipe for the classes of `pictures`, from random
/// numbers or recipe.init, and freezes what recipe.freeze names. Settings that the recipe leaves
/// open are filled in. Throws Error when init is not a MobileNetV2, or the resolution is too small.
NewNetwork make_network(Recipe& recipe, const data::Dataset& pictures);

}  // namespace lamina::apps

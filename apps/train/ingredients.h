#pragma once

#include <memory>
#include <vector>

#include "apps/train/recipe.h"
#include "data/augment.h"
#include "data/mix.h"
#include "data/preprocessing.h"
#include "nn/optim.h"
#include "nn/schedule.h"

/// What the library makes of a recipe.
namespace lamina::apps {

/// "crop=0.08,flip=0.5" as the library's options. Throws Error naming what is unknown or out of
/// range.
data::Augmentation augmentation_of(const Recipe& recipe);

data::Mix mix_of(const Recipe& recipe);

/// `base`, what the network was trained with before, with the recipe's sides, mean and std. Throws
/// Error unless those are one or three numbers, the standard deviations above 0.
data::Preprocessing preprocessing_of(const Recipe& recipe, const data::Preprocessing& base);

nn::Schedule schedule_of(const Recipe& recipe, std::size_t steps_per_epoch);

std::unique_ptr<nn::Optimizer> optimizer_of(const Recipe& recipe,
                                            std::vector<nn::NamedTensor> parameters);

/// Throws UsageError when a setting contradicts another or is out of a range that settings() does
/// not know.
void check_recipe(const Recipe& recipe);

}  // namespace lamina::apps

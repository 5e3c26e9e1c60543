#include "apps/train/pictures.h"

#include <filesystem>

#include "apps/support/dataset.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

data::DatasetHandle open_test_split(const std::filesystem::path& folder) {
  try {
    return data::open_dataset(folder, {.split = data::Split::test});
  } catch (const Error& error) {
    throw Error(text(error.what(), " (or hold training pictures out: --hold-out N)"));
  }
}

}  // namespace

std::string TrainingPictures::identity() const {
  std::string identity = text(training->size(), " training pictures, ", validation->size(), " ",
                              validated_on, ", ", training->classes(), " classes:");
  for (const std::string& name : training->class_names()) {
    identity += ' ' + name;
  }
  return identity;
}

TrainingPictures open_pictures(const std::string& name, const Recipe& recipe) {
  const std::filesystem::path folder = dataset_folder(name);
  const data::DatasetHandle training = data::open_dataset(folder, {.split = data::Split::train});
  check(training->classes() >= 2, name, ": there must be two classes at least: there is only ",
        training->class_names().front());
  if (recipe.hold_out == 0) {
    return {training, open_test_split(folder), "test split"};
  }
  const data::HoldOut parts = data::hold_out(training, recipe.hold_out, recipe.hold_out_seed);
  return {parts.rest, parts.held_out, "held out"};
}

}  // namespace lamina::apps

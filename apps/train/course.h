#pragma once

#include <memory>
#include <optional>

#include "apps/support/console.h"
#include "apps/train/network.h"
#include "apps/train/options.h"
#include "apps/train/pictures.h"
#include "apps/train/trainer.h"

namespace lamina::apps {

/// A network and the batches it is trained and measured with.
struct Course {
  std::unique_ptr<Source> training, validation;
  std::unique_ptr<Subject> subject;
};

/// The whole network on pictures or, with a frozen backbone, the head on features that are computed
/// here; empty when a signal asked to stop meanwhile. `network` must outlive it. Throws Error.
std::optional<Course> prepare(const TrainOptions& options, const Recipe& recipe,
                              const TrainingPictures& pictures, NewNetwork& network,
                              Console& console);

}  // namespace lamina::apps

#pragma once

#include <string>

#include "apps/support/console.h"
#include "apps/train/checkpoint.h"
#include "apps/train/evaluation.h"
#include "apps/train/log.h"
#include "apps/train/network.h"
#include "apps/train/options.h"
#include "apps/train/pictures.h"

namespace lamina::apps {

/// A training that is over.
struct Trained {
  const TrainOptions& options;
  const Recipe& recipe;  ///< nothing left open
  const TrainingPictures& pictures;
  NewNetwork& network;
  const Scores& scores;
  const TrainingState& state;
};

/// Two lines on what will be trained, and on what.
std::string introduction(const Recipe& recipe, const TrainingPictures& pictures,
                         models::MobileNetV2& net);

/// What the log begins with.
LogStart log_start(const Recipe& recipe, const TrainingPictures& pictures,
                   models::MobileNetV2& net);

/// Parameters, those of batch norm included.
std::size_t count_parameters(models::MobileNetV2& net);

/// Multiply-adds of one picture's way forward, in convolutions and the classifier.
std::size_t count_multiply_adds(const Recipe& recipe, const models::MobileNetV2& net);

/// Writes the model: weights, and in its metadata labels, preprocessing and recipe, all that
/// classify needs. Throws Error.
void write_model(const Trained& trained);

/// Writes the model's card, Markdown: figures, recipe, data, confusion matrix, command. Throws
/// Error.
void write_card(const Trained& trained);

/// The card's text.
std::string card(const Trained& trained);

/// Draws loss and accuracy by epochs from the log as a PNG; false where train was built without
/// cairo. Throws Error when the file cannot be written.
bool draw_curves(const LogEntries& log, const std::filesystem::path& path);

/// All three. Throws Error.
void write_all(const Trained& trained, Console& console);

}  // namespace lamina::apps

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "apps/train/recipe.h"
#include "data/loader.h"
#include "models/checkpoint/safetensors.h"
#include "nn/ema.h"
#include "nn/module.h"
#include "nn/optim.h"

namespace lamina::apps {

/// Sums over the pictures of the epoch so far.
struct EpochSums {
  double loss = 0.0;
  std::size_t right = 0;
  std::size_t pictures = 0;
  double seconds = 0.0;
};

/// Where a training stands, besides its tensors.
struct TrainingState {
  Recipe recipe;        ///< as given, before resolve()
  std::string data;     ///< what identifies the pictures
  std::string command;  ///< that began it
  data::LoaderPosition position;
  std::size_t step = 0;  ///< that comes next
  double seconds = 0.0;  ///< of training so far
  EpochSums epoch;
  std::uint64_t log_bytes = 0;
};

/// The tensors that a training changes.
struct TrainingTensors {
  nn::Module& net;  ///< the whole network
  nn::Optimizer& optimizer;
  nn::Ema* ema;  ///< null: none
};

/// One safetensors file: "model.NAME", "optimizer.NAME" and "ema.NAME", and the state as JSON in
/// the metadata.
struct TrainingCheckpoint {
  std::filesystem::path path;
  TrainingState state;
  models::Checkpoint content;
};

/// Writes the file: complete under its name or not at all. Throws Error.
void write_checkpoint(const std::filesystem::path& path, const TrainingState& state,
                      const TrainingTensors& tensors);

/// Throws Error when the file cannot be read or is no checkpoint of train.
TrainingCheckpoint read_checkpoint(const std::filesystem::path& path);

/// Copies the checkpoint's tensors into those of this training. Throws Error when names or shapes
/// differ.
void restore(const TrainingCheckpoint& checkpoint, const TrainingTensors& tensors);

}  // namespace lamina::apps

#pragma once

#include "apps/train/options.h"

/// The files that a training writes.
namespace lamina::apps {

/// Finds out before hours are spent that one of them cannot be written, or that an unfinished
/// training would be lost. Throws Error, or UsageError for the latter.
void check_outputs(const TrainOptions& options);

/// Removes the checkpoint, and what processes that were killed left of unfinished files.
void remove_leftovers(const TrainOptions& options);

}  // namespace lamina::apps

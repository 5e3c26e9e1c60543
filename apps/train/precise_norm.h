#pragma once

#include <cstddef>

#include "apps/train/source.h"
#include "nn/module.h"

namespace lamina::apps {

/// Batch norm's running statistics anew, as the mean of those of the first `batches` batches of
/// training with the weights as they are (Wu and Johnson, "Rethinking Batch in BatchNorm", 2021,
/// section 3). Weights stay; frozen parts too.
void recompute_statistics(nn::Module& module, Source& training, std::size_t batches);

}  // namespace lamina::apps

#pragma once

#include <filesystem>

#include "models/checkpoint/archive.h"

namespace lamina::models {

/// Writes float32 tensors as torch.save writes a state dict (PyTorch 1.6 and later, weights_only
/// included): an OrderedDict in a zip archive of stored entries, each storage at a multiple of 64
/// bytes. Beside every running_mean goes a num_batches_tracked of zero, which strict loading wants.
/// Metadata goes into an entry of its own, a pickled dict, which PyTorch ignores. To a temporary
/// name beside it, synced, then renamed. Throws Error when the file would have 4 GiB or cannot be
/// written.
void write_torch(const std::filesystem::path& path, const Checkpoint& checkpoint);

}  // namespace lamina::models

#pragma once

#include <string>

#include "models/checkpoint/archive.h"
#include "models/checkpoint/torch/pickle.h"
#include "models/checkpoint/torch/tensors.h"

namespace lamina::models::torch {

/// The named tensors of what a file holds, whether a state dict or a training checkpoint around
/// one. Prefixes that wrappers leave ("module.", "_orig_mod.") are taken off where all names have
/// them; a tuple of tensors NAME becomes NAME.0, NAME.1 and so on. Texts and numbers around the
/// state dict become metadata "torch.KEY", mmcls's CLASSES "labels". What was chosen and left out
/// are remarks. Throws Error, its message begun with `prefix`.
Archive read_state_dict(const Pickle& pickle, Storages& storages, const std::string& prefix);

}  // namespace lamina::models::torch

#pragma once

#include <map>
#include <string>

#include "nn/module.h"

namespace lamina::nn {

/// Tensors by name.
using StateDict = std::map<std::string, Tensor>;

/// The tensors of `module` by their whole names; the handles share the module's memory.
StateDict state_dict(Module& module);

/// Copies every tensor of `state` into the one of `module` with its name. Throws Error, before
/// anything is copied, unless names and shapes match one to one; its message lists every missing,
/// every extra and every misshapen name.
void load_state(Module& module, const StateDict& state);

}  // namespace lamina::nn

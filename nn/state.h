#pragma once

#include <map>
#include <string>
#include <vector>

#include "nn/module.h"

namespace lamina::nn {

/// Tensors by name.
using StateDict = std::map<std::string, Tensor>;

/// The tensors of `module` by their whole names; the handles share the module's memory.
StateDict state_dict(Module& module);

/// What keeps `state` from loading into `module`, as "missing a.weight; extra b.bias; misshapen
/// c.weight is [3] for [4]", every name listed; empty when names and shapes match one to one.
std::string state_mismatch(Module& module, const StateDict& state);

/// The same for tensors that are no module's.
std::string state_mismatch(const std::vector<NamedTensor>& own, const StateDict& state);

/// The same for tensors of which only the shapes are known.
std::string state_mismatch(const std::vector<NamedTensor>& own,
                           const std::map<std::string, Shape>& shapes);

/// Copies every tensor of `state` into the one of `module` with its name. Throws Error, before
/// anything is copied, with state_mismatch() unless that is empty.
void load_state(Module& module, const StateDict& state);

}  // namespace lamina::nn

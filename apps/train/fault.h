#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/tensor.h"
#include "data/loader.h"
#include "nn/module.h"

namespace lamina::apps {

/// Why a training cannot go on.
enum class Fault { loss, gradient };

/// A sentence with the first thing in the way of a step that is not finite and its statistics: an
/// input, a parameter or buffer, the output of a layer; or, for gradients, the parameter whose
/// gradient came first, so the last in order. Runs the network again in training: its running
/// statistics are worthless afterwards.
std::string explain(Fault fault, nn::Module& module, const Tensor& input);

/// "2 NaN, 1 infinite of 16; the others from -3.1 to 4.2"
std::string statistics(const Tensor& values);

/// The first parameter or buffer that is not finite, with its statistics; empty: all are.
std::optional<std::string> bad_tensor(nn::Module& module);

}  // namespace lamina::apps

#pragma once

#include "core/random.h"
#include "nn/module.h"

namespace lamina::nn {

/// Both functions set what every Conv2d, Linear and BatchNorm2d of `module` holds: weights at
/// random, biases zero, gamma and the variance one, beta and the mean zero. Tensors that other
/// modules name are left alone. The random numbers depend on the seed, the stream and the position
/// of `rng`, which moves on, and on a tensor's place in named_tensors(): neither on the number of
/// threads nor on what other tensors look like.

/// torchvision's: convolutions normal with standard deviation sqrt(2 / fan_out), where
/// fan_out = O KH KW, also when grouped (He et al. 2015); linear layers normal with 0.01.
void init_kaiming(Module& module, Rng& rng);

/// TF-slim's, which the paper used: convolutions and linear layers normal, drawn anew beyond two
/// standard deviations. Throws Error unless stddev is above 0 and finite.
void init_truncated_normal(Module& module, Rng& rng, float stddev = 0.09f);

}  // namespace lamina::nn

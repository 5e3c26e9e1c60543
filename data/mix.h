#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/random.h"
#include "core/tensor.h"
#include "data/resize.h"

namespace lamina::data {

/// Pictures of a batch mixed with each other, and their labels alike: mixup (Zhang et al., 2018) or
/// CutMix (Yun et al., 2019). With both alphas, each batch takes either with probability 1/2.
struct Mix {
  float mixup = 0.0f;        ///< alpha of lambda ~ Beta(alpha, alpha); 0 for no mixup
  float cutmix = 0.0f;       ///< the same of CutMix
  float probability = 1.0f;  ///< that a batch is mixed at all

  bool enabled() const { return probability > 0.0f && (mixup > 0.0f || cutmix > 0.0f); }
};

/// Throws Error naming the first field that is out of its range.
void check_mix(const Mix& mix);

/// "mixup 0.2; cutmix 1; probability 0.5"; "none".
std::string describe(const Mix& mix);

/// Beta(alpha, alpha), in [0, 1]. alpha > 0.
double draw_beta(double alpha, Rng& rng);

/// CutMix's rectangle in pictures of `size`: of share 1 - lambda, centered anywhere, then cut off
/// at the borders. May be empty.
Region draw_cutmix(double lambda, const Size& size, Rng& rng);

/// x[i] = lambda x[i] + (1 - lambda) x[i - 1], x[0] with the last; each as it was before.
/// images [N, H, W, 3].
void mix_up(Tensor& images, float lambda);

/// The pixels of `region` of x[i] become those of x[i - 1], x[0]'s the last one's.
void cut_mix(Tensor& images, const Region& region);

/// Mixes a batch, or not, as drawn from `rng`. Returns the targets [N, classes]: lambda at the
/// label of x[i] plus 1 - lambda at that of x[i - 1], where lambda is the share of x[i] that is
/// left; empty when the batch was not mixed.
Tensor mix_batch(const Mix& mix, Tensor& images, std::span<const std::uint32_t> labels,
                 std::size_t classes, Rng& rng);

}  // namespace lamina::data

#pragma once

#include <cstdint>

#include "core/random.h"

namespace lamina::data {

/// What random numbers of a run are for: streams of one seed that never meet.
enum class Purpose : std::uint64_t { augmentation = 1, shuffling = 2, mixing = 3, holding_out = 4 };

/// Epochs and pictures are numbered below these.
inline constexpr std::uint64_t kMaxEpochs = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxPictures = std::uint64_t{1} << 40;

/// The generator of picture (or batch) `index` < kMaxPictures in one epoch < kMaxEpochs: a function
/// of these four numbers, so that nothing depends on who draws first.
inline Rng keyed_rng(std::uint64_t seed, Purpose purpose, std::uint64_t epoch,
                     std::uint64_t index) {
  return Rng(seed, static_cast<std::uint64_t>(purpose) << 60 | epoch << 40 | index);
}

}  // namespace lamina::data

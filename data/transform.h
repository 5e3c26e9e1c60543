#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/random.h"
#include "data/augment.h"
#include "data/image.h"
#include "data/preprocessing.h"

namespace lamina::data {

/// From a decoded picture to a network's input: random changes, sides, normalization.
///
/// Without augmentation the values are those of preprocess(): resized, center-cropped, normalized.
/// With it: RandomResizedCrop in place of resizing and cropping, colors, flip, shift,
/// normalization, erasing.
class Transform {
 public:
  /// Throws Error when crop > resize, a side is zero, or the augmentation is out of range.
  explicit Transform(const Preprocessing& preprocessing, const Augmentation& augmentation = {});

  /// Writes [crop, crop, 3] for one picture, whose pixels it may change. All randomness is drawn
  /// from `rng`. Throws Error when the picture is empty or `out` has another size.
  void operator()(Image& image, Rng& rng, std::span<float> out) const;

  const Preprocessing& preprocessing() const { return preprocessing_; }
  const Augmentation& augmentation() const { return augmentation_; }

  /// Values that a picture becomes: crop * crop * 3.
  std::size_t size() const { return preprocessing_.crop * preprocessing_.crop * 3; }

 private:
  Preprocessing preprocessing_;
  Augmentation augmentation_;
  std::array<std::array<float, 256>, 3> tables_;  // [channel of the output][byte]
};

/// What random numbers of a run are for: streams of one seed that never meet.
enum class Purpose : std::uint64_t { augmentation = 1, shuffling = 2, mixing = 3, holding_out = 4 };

/// The generator of picture (or batch) `index` in one epoch: a function of these four numbers, so
/// that nothing depends on who draws first. Throws Error unless epoch < 2^20 and index < 2^40.
Rng keyed_rng(std::uint64_t seed, Purpose purpose, std::uint64_t epoch, std::uint64_t index);

}  // namespace lamina::data

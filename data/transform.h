#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "core/random.h"
#include "data/augment.h"
#include "data/image.h"
#include "data/normalization.h"
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
  /// Pixel (y, x) of the result is that at (y + down, x + right), mirrored afterwards.
  struct Placement {
    bool mirrored = false;
    std::ptrdiff_t down = 0, right = 0;
  };

  Placement draw_placement(Rng& rng) const;
  void normalize_into(std::span<float> out, const Image& image, const Placement& placement) const;
  void erase(std::span<float> out, const Region& region, Rng& rng) const;
  std::array<float, 3> color(Fill fill) const;

  Preprocessing preprocessing_;
  Augmentation augmentation_;
  NormalizationTables tables_;
};

}  // namespace lamina::data

#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "core/random.h"
#include "data/image.h"
#include "data/resize.h"

namespace lamina::data {

/// What fills pixels that a picture does not have.
enum class Fill {
  black,  ///< the byte 0 of every channel
  mean,   ///< 0 after normalization: the mean color
  noise,  ///< normal with mean 0 and deviation 1 after normalization, every value its own
};

/// A rectangle of random area and shape, resized to the network's input (torchvision's
/// RandomResizedCrop; Szegedy et al., 2015, section 6).
struct RandomResizedCrop {
  float min_scale = 0.08f, max_scale = 1.0f;               ///< of the picture's area, uniform
  float min_ratio = 3.0f / 4.0f, max_ratio = 4.0f / 3.0f;  ///< width / height, log-uniform
};

/// Colors by factors uniform in [max(0, 1 - x), 1 + x], in random order, as Pillow's ImageEnhance;
/// hue turned by a part of the circle uniform in [-hue, hue].
struct ColorJitter {
  float brightness = 0.0f;
  float contrast = 0.0f;
  float saturation = 0.0f;
  float hue = 0.0f;  ///< at most 0.5

  bool operator==(const ColorJitter&) const = default;
};

/// A rectangle of random area and shape overwritten (Zhong et al., 2017; torchvision's
/// RandomErasing).
struct RandomErasing {
  float probability = 0.0f;
  float min_scale = 0.02f, max_scale = 0.33f;  ///< of the picture's area, uniform
  float min_ratio = 0.3f, max_ratio = 3.3f;    ///< height / width, log-uniform
  Fill fill = Fill::mean;
};

/// What is changed at random about every picture, in this order. By default nothing.
struct Augmentation {
  std::optional<RandomResizedCrop> crop = {};  ///< in place of resizing and the center crop
  ColorJitter jitter = {};
  float trivial = 0.0f;           ///< probability of one change more, see trivial_augment.h
  float flip = 0.0f;              ///< probability that left and right change places
  std::size_t shift = 0;          ///< pixels, at most: padded by so many, then cropped anywhere
  Fill shift_fill = Fill::black;  ///< black or mean
  RandomErasing erasing = {};
};

/// Throws Error naming the first field that is out of its range.
void check_augmentation(const Augmentation& augmentation);

/// One line for logs and cards: "crop 0.08-1 of the area, ratio 0.75-1.33; flip 0.5"; "none".
std::string describe(const Augmentation& augmentation);

/// The rectangle to cut from a picture of `size`: ten tries, then the largest centered one whose
/// ratio is in range.
Region draw_crop(const RandomResizedCrop& crop, const Size& size, Rng& rng);

/// The rectangle to erase; empty when none is, or none of ten tries fits.
std::optional<Region> draw_erasing(const RandomErasing& erasing, const Size& size, Rng& rng);

/// Pillow's ImageEnhance.Brightness: x * factor, cut off at 255, toward zero.
void change_brightness(Image& image, float factor);

/// Pillow's ImageEnhance.Contrast: x blended with the rounded mean of the picture's luma.
void change_contrast(Image& image, float factor);

/// Pillow's ImageEnhance.Color: x blended with its luma, (299 R + 587 G + 114 B) / 1000 rounded.
void change_saturation(Image& image, float factor);

/// Turns the hue of every pixel by `turn` of the color circle in HSV, rounded to the nearest.
void turn_hue(Image& image, float turn);

/// All four with random factors, in random order.
void jitter_colors(Image& image, const ColorJitter& jitter, Rng& rng);

}  // namespace lamina::data

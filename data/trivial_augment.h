#pragma once

#include "core/random.h"
#include "data/image.h"

/// TrivialAugment (Müller and Hutter, 2021): one change of random kind and strength, nothing to
/// tune. Each change gives Pillow's bytes.
namespace lamina::data {

/// Where the pixel (x, y) of the result comes from: (a x + b y + c, d x + e y + f), in coordinates
/// where the first pixel's middle is (0.5, 0.5).
struct AffineMap {
  double a = 1.0, b = 0.0, c = 0.0;
  double d = 0.0, e = 1.0, f = 0.0;
};

/// Turns the picture about its middle by so many degrees, counter-clockwise.
AffineMap rotation(double degrees, const Image& image);

/// Pillow's Image.transform(AFFINE), nearest pixels; black where there are none.
void transform(Image& image, const AffineMap& map);

/// Pillow's ImageEnhance.Sharpness: x blended with its smoothed self; the border stays.
void change_sharpness(Image& image, float factor);

/// Keeps the `bits` highest bits, 1 to 8.
void posterize(Image& image, unsigned bits);

/// Inverts values of at least `threshold`.
void solarize(Image& image, float threshold);

/// Stretches each channel to 0..255.
void stretch_contrast(Image& image);

/// Makes each channel's histogram even.
void equalize(Image& image);

/// One of 14 changes, each as likely as the others, at one of 31 strengths of the paper's wide
/// space: nothing; shear up to 0.99, shift up to 32 pixels, along x or y; turn up to 135 degrees;
/// brightness, saturation, contrast, sharpness by 0.01 to 1.99; posterize to 8..2 bits; solarize;
/// stretch; equalize.
void trivial_augment(Image& image, Rng& rng);

}  // namespace lamina::data

#include "data/augment.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace lamina::data {
namespace {

constexpr int kTries = 10;

void check_field(bool condition, const char* field, const char* rule, double value) {
  check(condition, "Augmentation: ", field, " must be ", rule, ": ", value);
}

void check_range(const char* field, float lo, float hi, float most) {
  check(lo > 0.0f && lo <= hi && hi <= most && std::isfinite(hi), "Augmentation: ", field,
        " must be a positive range", most == 1.0f ? " up to 1" : "", ": ", lo, " to ", hi);
}

double log_uniform(double lo, double hi, Rng& rng) {
  return std::exp(std::log(lo) + (std::log(hi) - std::log(lo)) * double{rng.uniform()});
}

struct Sides {
  double height, width;  // whole numbers
};

/// Sides of a rectangle of `area` whose height is `ratio` times its width.
Sides sides_of(double area, double ratio) {
  return {std::nearbyint(std::sqrt(area * ratio)), std::nearbyint(std::sqrt(area / ratio))};
}

Region place_anywhere(const Sides& sides, const Size& size, Rng& rng) {
  const auto height = static_cast<std::size_t>(sides.height);
  const auto width = static_cast<std::size_t>(sides.width);
  const std::size_t top = rng.below(size.height - height + 1);
  return {top, rng.below(size.width - width + 1), height, width};
}

double area_of(const Size& size) {
  return static_cast<double>(size.height) * static_cast<double>(size.width);
}

/// The largest rectangle in the middle whose width / height is in range.
Region largest_crop(const RandomResizedCrop& crop, const Size& size) {
  const auto height = static_cast<double>(size.height), width = static_cast<double>(size.width);
  const auto at_least_1 = [](double side) {
    return static_cast<std::size_t>(std::max(1.0, std::nearbyint(side)));
  };
  Size kept = size;
  if (width / height < double{crop.min_ratio}) {
    kept.height = std::min(size.height, at_least_1(width / double{crop.min_ratio}));
  } else if (width / height > double{crop.max_ratio}) {
    kept.width = std::min(size.width, at_least_1(height * double{crop.max_ratio}));
  }
  return {(size.height - kept.height) / 2, (size.width - kept.width) / 2, kept.height, kept.width};
}

const char* fill_name(Fill fill) {
  return fill == Fill::black ? "black" : fill == Fill::mean ? "mean" : "noise";
}

std::string describe(const ColorJitter& jitter) {
  return text("; brightness ", jitter.brightness, ", contrast ", jitter.contrast, ", saturation ",
              jitter.saturation, ", hue ", jitter.hue);
}

std::string describe(const RandomErasing& erasing) {
  return text("; erasing ", erasing.probability, " of ", erasing.min_scale, " to ",
              erasing.max_scale, " of the area, ratio ", erasing.min_ratio, " to ",
              erasing.max_ratio, ", by ", fill_name(erasing.fill));
}

}  // namespace

void check_augmentation(const Augmentation& augmentation) {
  constexpr float kAny = std::numeric_limits<float>::max();
  if (const auto& crop = augmentation.crop) {
    check_range("crop scale", crop->min_scale, crop->max_scale, 1.0f);
    check_range("crop ratio", crop->min_ratio, crop->max_ratio, kAny);
  }
  const ColorJitter& jitter = augmentation.jitter;
  for (const auto& [field, value] : {std::pair("brightness", jitter.brightness),
                                     {"contrast", jitter.contrast},
                                     {"saturation", jitter.saturation}}) {
    check_field(value >= 0.0f && std::isfinite(value), field, "at least 0", double{value});
  }
  check_field(jitter.hue >= 0.0f && jitter.hue <= 0.5f, "hue", "from 0 to 0.5", double{jitter.hue});
  check_field(augmentation.flip >= 0.0f && augmentation.flip <= 1.0f, "flip",
              "a probability, 0 to 1", double{augmentation.flip});
  check_field(augmentation.trivial >= 0.0f && augmentation.trivial <= 1.0f, "trivial",
              "a probability, 0 to 1", double{augmentation.trivial});
  check(augmentation.shift_fill != Fill::noise,
        "Augmentation: shift fill must be black or mean: noise");
  const RandomErasing& erasing = augmentation.erasing;
  check_field(erasing.probability >= 0.0f && erasing.probability <= 1.0f, "erasing probability",
              "a probability, 0 to 1", double{erasing.probability});
  check_range("erasing scale", erasing.min_scale, erasing.max_scale, 1.0f);
  check_range("erasing ratio", erasing.min_ratio, erasing.max_ratio, kAny);
}

std::string describe(const Augmentation& augmentation) {
  std::string parts;
  if (const auto& crop = augmentation.crop) {
    parts += text("; crop ", crop->min_scale, " to ", crop->max_scale, " of the area, ratio ",
                  crop->min_ratio, " to ", crop->max_ratio);
  }
  if (augmentation.jitter != ColorJitter{}) {
    parts += describe(augmentation.jitter);
  }
  if (augmentation.trivial > 0.0f) {
    parts += text("; TrivialAugment ", augmentation.trivial);
  }
  if (augmentation.flip > 0.0f) {
    parts += text("; flip ", augmentation.flip);
  }
  if (augmentation.shift > 0) {
    parts +=
        text("; shift ", augmentation.shift, ", filled by ", fill_name(augmentation.shift_fill));
  }
  if (augmentation.erasing.probability > 0.0f) {
    parts += describe(augmentation.erasing);
  }
  return parts.empty() ? "none" : parts.substr(2);
}

Region draw_crop(const RandomResizedCrop& crop, const Size& size, Rng& rng) {
  for (int i = 0; i < kTries; ++i) {
    const double area = area_of(size) * double{rng.uniform(crop.min_scale, crop.max_scale)};
    const double ratio = log_uniform(double{crop.min_ratio}, double{crop.max_ratio}, rng);
    const Sides sides = sides_of(area, 1.0 / ratio);
    if (sides.height >= 1.0 && sides.height <= static_cast<double>(size.height) &&
        sides.width >= 1.0 && sides.width <= static_cast<double>(size.width)) {
      return place_anywhere(sides, size, rng);
    }
  }
  return largest_crop(crop, size);
}

std::optional<Region> draw_erasing(const RandomErasing& erasing, const Size& size, Rng& rng) {
  if (!(rng.uniform() < erasing.probability)) {
    return std::nullopt;
  }
  for (int i = 0; i < kTries; ++i) {
    const double area = area_of(size) * double{rng.uniform(erasing.min_scale, erasing.max_scale)};
    const double ratio = log_uniform(double{erasing.min_ratio}, double{erasing.max_ratio}, rng);
    const Sides sides = sides_of(area, ratio);
    if (sides.height >= 1.0 && sides.height < static_cast<double>(size.height) &&
        sides.width >= 1.0 && sides.width < static_cast<double>(size.width)) {
      return place_anywhere(sides, size, rng);
    }
  }
  return std::nullopt;
}

}  // namespace lamina::data

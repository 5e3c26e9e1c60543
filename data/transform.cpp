#include "data/transform.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/error.h"
#include "data/check_image.h"
#include "data/trivial_augment.h"

namespace lamina::data {
namespace {

constexpr std::size_t kMaxSide = 8192;

bool has_sides(const Image& image, std::size_t side) {
  return image.height == side && image.width == side;
}

/// The picture's square of `crop` pixels a side, before colors change.
void resize_for(Image& image, const Preprocessing& preprocessing, const Augmentation& augmentation,
                Rng& rng) {
  const auto& crop = augmentation.crop;
  if (crop) {
    const Region region = draw_crop(*crop, {image.height, image.width}, rng);
    const Filter filter = preprocessing.filter;
    image = resize_region(image, image.height, image.width, filter, region);
    image = resize(image, preprocessing.crop, preprocessing.crop, filter);
  } else if (preprocessing.crop != preprocessing.resize || !has_sides(image, preprocessing.crop)) {
    image = resize_and_crop(image, preprocessing);
  }
}

std::ptrdiff_t draw_shift(std::size_t most, Rng& rng) {
  return static_cast<std::ptrdiff_t>(rng.below(2 * most + 1)) - static_cast<std::ptrdiff_t>(most);
}

}  // namespace

Transform::Transform(const Preprocessing& preprocessing, const Augmentation& augmentation)
    : preprocessing_(preprocessing),
      augmentation_(augmentation),
      tables_(normalization_tables(preprocessing)) {
  check(preprocessing.crop > 0 && preprocessing.crop <= preprocessing.resize &&
            preprocessing.resize <= kMaxSide,
        "Transform: sides must be 1 <= crop <= resize <= ", kMaxSide, ": crop ", preprocessing.crop,
        ", resize ", preprocessing.resize);
  check_augmentation(augmentation);
  check(augmentation.shift <= preprocessing.crop,
        "Transform: shift must be at most crop: ", augmentation.shift, " of ", preprocessing.crop);
  if (preprocessing.channel_order == ChannelOrder::bgr) {
    std::swap(tables_[0], tables_[2]);
  }
}

Transform::Placement Transform::draw_placement(Rng& rng) const {
  Placement placement;
  if (augmentation_.flip > 0.0f) {
    placement.mirrored = rng.uniform() < augmentation_.flip;
  }
  if (augmentation_.shift > 0) {
    placement.down = draw_shift(augmentation_.shift, rng);
    placement.right = draw_shift(augmentation_.shift, rng);
  }
  return placement;
}

std::array<float, 3> Transform::color(Fill fill) const {
  return fill == Fill::black ? std::array{tables_[0][0], tables_[1][0], tables_[2][0]}
                             : std::array<float, 3>{};
}

void Transform::operator()(Image& image, Rng& rng, std::span<float> out) const {
  check_image("Transform", image);
  check(out.size() == size(),
        "Transform: the output must have crop x crop x 3 values: ", out.size(), " values, ", size(),
        " needed");
  resize_for(image, preprocessing_, augmentation_, rng);
  if (augmentation_.jitter != ColorJitter{}) {
    jitter_colors(image, augmentation_.jitter, rng);
  }
  if (augmentation_.trivial > 0.0f && rng.uniform() < augmentation_.trivial) {
    trivial_augment(image, rng);
  }
  normalize_into(out, image, draw_placement(rng));
  if (augmentation_.erasing.probability > 0.0f) {
    const Size sides{preprocessing_.crop, preprocessing_.crop};
    if (const std::optional<Region> region = draw_erasing(augmentation_.erasing, sides, rng)) {
      erase(out, *region, rng);
    }
  }
}

void Transform::normalize_into(std::span<float> out, const Image& image,
                               const Placement& placement) const {
  const auto side = static_cast<std::ptrdiff_t>(preprocessing_.crop);
  const std::array<float, 3> padding = color(augmentation_.shift_fill);
  const std::size_t first = preprocessing_.channel_order == ChannelOrder::rgb ? 0 : 2;
  const std::ptrdiff_t step = placement.mirrored ? -3 : 3;
  for (std::ptrdiff_t y = 0; y < side; ++y) {
    float* to = out.data() + (placement.mirrored ? (y + 1) * side - 1 : y * side) * 3;
    const std::ptrdiff_t row = y + placement.down;
    const bool outside = row < 0 || row >= side;
    const std::ptrdiff_t begin = outside ? side : std::max<std::ptrdiff_t>(0, -placement.right);
    const std::ptrdiff_t end = outside ? side : std::min(side, side - placement.right);
    for (std::ptrdiff_t x = 0; x < begin; ++x, to += step) {
      std::copy_n(padding.data(), 3, to);
    }
    const std::uint8_t* from = image.pixels.data() + (row * side + begin + placement.right) * 3;
    for (std::ptrdiff_t x = begin; x < end; ++x, to += step, from += 3) {
      to[0] = tables_[0][from[first]];
      to[1] = tables_[1][from[1]];
      to[2] = tables_[2][from[2 - first]];
    }
    for (std::ptrdiff_t x = end; x < side; ++x, to += step) {
      std::copy_n(padding.data(), 3, to);
    }
  }
}

void Transform::erase(std::span<float> out, const Region& region, Rng& rng) const {
  const Fill fill = augmentation_.erasing.fill;
  const std::array<float, 3> paint = color(fill);
  for (std::size_t y = region.top; y < region.top + region.height; ++y) {
    float* to = &out[(y * preprocessing_.crop + region.left) * 3];
    for (std::size_t i = 0; i < region.width * 3; ++i) {
      to[i] = fill == Fill::noise ? rng.normal() : paint[i % 3];
    }
  }
}

}  // namespace lamina::data

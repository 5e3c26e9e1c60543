#include "data/mix.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"

namespace lamina::data {
namespace {

/// Gamma(shape, 1) for shape >= 1 (Marsaglia and Tsang, 2000).
double draw_gamma_above_1(double shape, Rng& rng) {
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = double{rng.normal()};
    const double root = 1.0 + c * x;
    const double v = root * root * root;
    const double u = 1.0 - double{rng.uniform()};  // in (0, 1]
    if (v > 0.0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) {
      return d * v;
    }
  }
}

double draw_gamma(double shape, Rng& rng) {
  if (shape >= 1.0) {
    return draw_gamma_above_1(shape, rng);
  }
  const double u = 1.0 - double{rng.uniform()};
  return draw_gamma_above_1(shape + 1.0, rng) * std::pow(u, 1.0 / shape);
}

void check_batch(const char* op, const Tensor& images) {
  check(images.shape().rank() == 4 && !images.empty(), op,
        ": images must be [N, H, W, C]: ", images.shape());
}

std::size_t image_size(const Tensor& images) { return images.size() / images.shape()[0]; }

/// Calls mix(i, its values, the values of the one before) for every picture; none of the latter has
/// been mixed yet.
template <class MixPair>
void with_previous(Tensor& images, const MixPair& mix) {
  const std::size_t count = images.shape()[0], size = image_size(images);
  float* first = images.data();
  const std::vector<float> last(first + (count - 1) * size, first + count * size);
  for (std::size_t i = count; i-- > 0;) {
    mix(first + i * size, i > 0 ? first + (i - 1) * size : last.data());
  }
}

Tensor mixed_targets(std::span<const std::uint32_t> labels, std::size_t classes, float share) {
  Tensor targets = Tensor::zeros({labels.size(), classes});
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::uint32_t previous = labels[(i + labels.size() - 1) % labels.size()];
    float* row = targets.data() + i * classes;
    row[labels[i]] += share;
    row[previous] += 1.0f - share;
  }
  return targets;
}

}  // namespace

void check_mix(const Mix& mix) {
  for (const auto& [field, alpha] : {std::pair("mixup", mix.mixup), {"cutmix", mix.cutmix}}) {
    check(alpha >= 0.0f && std::isfinite(alpha), "Mix: ", field, " must be at least 0: ", alpha);
  }
  check(mix.probability >= 0.0f && mix.probability <= 1.0f,
        "Mix: probability must be from 0 to 1: ", mix.probability);
}

std::string describe(const Mix& mix) {
  if (!mix.enabled()) {
    return "none";
  }
  std::string parts;
  for (const auto& [name, alpha] : {std::pair("mixup ", mix.mixup), {"cutmix ", mix.cutmix}}) {
    parts += alpha > 0.0f ? text(name, alpha, "; ") : "";
  }
  return text(parts, "probability ", mix.probability);
}

double draw_beta(double alpha, Rng& rng) {
  const double a = draw_gamma(alpha, rng);
  const double b = draw_gamma(alpha, rng);
  // Both may be too small for a double, where the distribution is next to a coin's.
  return a + b > 0.0 ? a / (a + b) : static_cast<double>(rng.bits() & 1);
}

Region draw_cutmix(double lambda, const Size& size, Rng& rng) {
  const double half = 0.5 * std::sqrt(1.0 - lambda);
  const auto cut = [&](std::size_t side, std::size_t center) {
    const auto reach = static_cast<std::size_t>(half * static_cast<double>(side));
    const std::size_t begin = center - std::min(center, reach);
    return std::pair(begin, std::min(side, center + reach) - begin);
  };
  const auto [top, height] = cut(size.height, rng.below(size.height));
  const auto [left, width] = cut(size.width, rng.below(size.width));
  return {top, left, height, width};
}

void mix_up(Tensor& images, float lambda) {
  check_batch("mix_up", images);
  with_previous(images, [&, size = image_size(images)](float* x, const float* previous) {
    for (std::size_t i = 0; i < size; ++i) {
      x[i] = lambda * x[i] + (1.0f - lambda) * previous[i];
    }
  });
}

void cut_mix(Tensor& images, const Region& region) {
  check_batch("cut_mix", images);
  const std::size_t height = images.shape()[1], width = images.shape()[2];
  const std::size_t channels = images.shape()[3];
  check(region.top <= height && region.height <= height - region.top && region.left <= width &&
            region.width <= width - region.left,
        "cut_mix: the region must lie in the pictures: ", region.height, " x ", region.width,
        " pixels at (", region.top, ", ", region.left, ") of ", height, " x ", width);
  with_previous(images, [&](float* x, const float* previous) {
    for (std::size_t y = region.top; y < region.top + region.height; ++y) {
      const std::size_t offset = (y * width + region.left) * channels;
      std::copy_n(previous + offset, region.width * channels, x + offset);
    }
  });
}

Tensor mix_batch(const Mix& mix, Tensor& images, std::span<const std::uint32_t> labels,
                 std::size_t classes, Rng& rng) {
  check_batch("mix_batch", images);
  check(labels.size() == images.shape()[0],
        "mix_batch: there must be a label for each picture: ", images.shape()[0], " pictures, ",
        labels.size(), " labels");
  for (const std::uint32_t label : labels) {
    check(label < classes, "mix_batch: labels must be below the number of classes: ", label, " of ",
          classes);
  }
  if (!mix.enabled() || !(rng.uniform() < mix.probability)) {
    return {};
  }
  const bool both = mix.mixup > 0.0f && mix.cutmix > 0.0f;
  const bool cuts = both ? rng.uniform() < 0.5f : mix.cutmix > 0.0f;
  const double lambda = draw_beta(double{cuts ? mix.cutmix : mix.mixup}, rng);
  if (!cuts) {
    mix_up(images, static_cast<float>(lambda));
    return mixed_targets(labels, classes, static_cast<float>(lambda));
  }
  const Size size{images.shape()[1], images.shape()[2]};
  const Region region = draw_cutmix(lambda, size, rng);
  cut_mix(images, region);
  const double share = static_cast<double>(region.height * region.width) /
                       static_cast<double>(size.height * size.width);
  return mixed_targets(labels, classes, static_cast<float>(1.0 - share));
}

}  // namespace lamina::data

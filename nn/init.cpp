#include "nn/init.h"

#include <cmath>
#include <functional>
#include <map>
#include <ranges>

#include "core/parallel.h"
#include "nn/layers.h"
#include "nn/optim/checks.h"

namespace lamina::nn {
namespace {

struct Scheme {
  float (*draw)(Rng&);  // with standard deviation 1, before it is cut
  std::function<float(const Shape& weight)> convolution_stddev;
  float linear_stddev;
};

struct RandomWeight {
  Tensor* value;
  float stddev;
};

float normal(Rng& rng) { return rng.normal(); }

float truncated_normal(Rng& rng) {
  constexpr float kCut = 2.0f;
  for (;;) {
    const float value = rng.normal();
    if (std::abs(value) <= kCut) {
      return value;
    }
  }
}

void fill(Tensor& x, float value) { std::ranges::fill(x.values(), value); }

/// Sets what is not random, and collects what is.
class Initializer {
 public:
  explicit Initializer(const Scheme& scheme) : scheme_(scheme) {}

  void operator()(Module& module) {
    if (auto* convolution = dynamic_cast<Conv2d*>(&module)) {
      random.push_back(
          {&convolution->weight, scheme_.convolution_stddev(convolution->weight.shape())});
      fill(convolution->bias, 0.0f);
    } else if (auto* linear = dynamic_cast<Linear*>(&module)) {
      random.push_back({&linear->weight, scheme_.linear_stddev});
      fill(linear->bias, 0.0f);
    } else if (auto* norm = dynamic_cast<BatchNorm2d*>(&module)) {
      fill(norm->gamma, 1.0f);
      fill(norm->beta, 0.0f);
      fill(norm->running_mean, 0.0f);
      fill(norm->running_variance, 1.0f);
    }
  }

  std::vector<RandomWeight> random;

 private:
  const Scheme& scheme_;
};

std::uint64_t draw_seed(Rng& rng) {
  const std::uint64_t high = rng.bits();
  return high << 32 | rng.bits();
}

void initialize(Module& module, Rng& rng, const Scheme& scheme) {
  Initializer initializer(scheme);
  for_each_module(module, [&](const std::string&, Module& part) { initializer(part); });
  std::map<const Tensor*, std::uint64_t> places;
  for (const NamedTensor& tensor : named_tensors(module)) {
    places.emplace(tensor.value, places.size());
  }
  const std::uint64_t seed = draw_seed(rng);
  parallel_for(initializer.random.size(), [&](std::size_t i) {
    const auto [value, stddev] = initializer.random[i];
    Rng own(seed, places.at(value));
    for (float& weight : value->values()) {
      weight = stddev * scheme.draw(own);
    }
  });
}

}  // namespace

void init_kaiming(Module& module, Rng& rng) {
  const auto stddev = [](const Shape& ohwi) {
    const std::size_t fan_out = ohwi[0] * ohwi[1] * ohwi[2];
    return static_cast<float>(std::sqrt(2.0 / static_cast<double>(fan_out)));
  };
  initialize(module, rng, {.draw = normal, .convolution_stddev = stddev, .linear_stddev = 0.01f});
}

void init_truncated_normal(Module& module, Rng& rng, float stddev) {
  check_positive("init_truncated_normal", "stddev", static_cast<double>(stddev));
  initialize(module, rng,
             {.draw = truncated_normal,
              .convolution_stddev = [stddev](const Shape&) { return stddev; },
              .linear_stddev = stddev});
}

}  // namespace lamina::nn

#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "benchmarks/cpu_name.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "data/dataset_memory.h"

// Pictures a second that a loader hands out: gray ones of 28 x 28 from memory, and those of the
// folder that is given, if one is, cropped at random to 224 x 224. Each number is the best of
// several epochs, or parts of some, a second long at least.
namespace {

using namespace lamina;

data::DatasetHandle gray_noise() {
  constexpr std::size_t kCount = 20'000, kSide = 28;
  data::MemoryDataset::Contents contents{
      .height = kSide, .width = kSide, .channels = 1, .class_names = {"noise"}, .name = "noise"};
  Rng rng(1);
  contents.labels.resize(kCount);
  for (std::size_t i = 0; i < kCount * kSide * kSide; ++i) {
    contents.pixels.push_back(static_cast<std::uint8_t>(rng.bits()));
  }
  return std::make_shared<data::MemoryDataset>(std::move(contents));
}

/// Pictures a second: the best of five stretches, each of a fifth of a second at least.
double rate(const data::DatasetHandle& dataset, const data::LoaderOptions& options) {
  using Clock = std::chrono::steady_clock;
  data::Loader loader(dataset, options);
  double best = 0.0;
  for (int stretch = 0; stretch < 5; ++stretch) {
    const auto start = Clock::now();
    std::size_t pictures = 0;
    double seconds = 0.0;
    while (seconds < 0.2) {
      if (const auto batch = loader.next()) {
        pictures += batch->labels.size();
      }
      seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    best = std::max(best, static_cast<double>(pictures) / seconds);
  }
  return best;
}

struct Setting {
  std::string name;
  std::size_t resize, crop;
  data::Augmentation augmentation = {};
  data::Mix mix = {};
};

void print_rates(const data::DatasetHandle& dataset, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    std::printf("%-44s", setting.name.c_str());
    for (std::size_t threads = 0; threads <= usable_cpus(); ++threads) {
      const data::LoaderOptions options{
          .batch = 128,
          .threads = threads,
          .preprocessing = {.resize = setting.resize, .crop = setting.crop},
          .augmentation = setting.augmentation,
          .mix = setting.mix};
      std::printf(" %9.0f", rate(dataset, options));
      std::fflush(stdout);
    }
    std::printf("\n");
  }
}

std::vector<Setting> small_settings() {
  const data::Augmentation usual{.flip = 0.5f, .shift = 2, .erasing = {.probability = 0.5f}};
  data::Augmentation noisy = usual;
  noisy.erasing.fill = data::Fill::noise;
  data::Augmentation colored = usual;
  colored.jitter = {.brightness = 0.4f, .contrast = 0.4f, .saturation = 0.4f, .hue = 0.1f};
  return {
      {"28, as it is", 28, 28},
      {"28, flip, shift, erasing", 28, 28, usual},
      {"28, flip, shift, erasing by noise", 28, 28, noisy},
      {"28, flip, shift, erasing, colors", 28, 28, colored},
      {"28, flip, shift, erasing, mixup or CutMix", 28, 28, usual, {.mixup = 0.2f, .cutmix = 1}},
      {"28 to 32, as it is", 32, 32},
      {"28 to 32, flip, shift, erasing", 32, 32, usual},
      {"28 to 32, random crop, flip", 32, 32, {.crop = data::RandomResizedCrop{}, .flip = 0.5f}}};
}

}  // namespace

int main(int count, char** arguments) {
  try {
    std::printf("%s\n%-44s %9s", benchmarks::cpu_name().c_str(), "pictures a second", "caller");
    for (std::size_t threads = 1; threads <= usable_cpus(); ++threads) {
      std::printf(" %7zu t", threads);
    }
    std::printf("\n");
    print_rates(gray_noise(), small_settings());
    if (count > 1) {
      const data::DatasetHandle dataset = data::open_dataset(arguments[1]);
      print_rates(dataset, {{"256 to 224, as it is", 256, 224},
                            {"random crop to 224, flip",
                             256,
                             224,
                             {.crop = data::RandomResizedCrop{}, .flip = 0.5f}}});
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loader: %s\n", error.what());
    return 1;
  }
}

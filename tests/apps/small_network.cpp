#include "tests/apps/small_network.h"

#include <cmath>

#include "core/random.h"
#include "models/checkpoint/safetensors.h"
#include "models/load.h"
#include "nn/module.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

constexpr const char* kLabels = "ant\nbee\ncat\ndog\neel\nfox\ngnu\nhen\nibis\njaçanã";

}  // namespace

void write_small_network(const std::filesystem::path& path, Labels labels) {
  models::MobileNetV2 net({.classes = 10, .width = 0.1f});
  Rng rng(7);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const Shape& shape = tensor.value->shape();
    const bool matrix = shape.rank() > 1;
    const float scale =
        matrix ? std::sqrt(2.0f * static_cast<float>(shape[0]) / static_cast<float>(shape.size()))
               : 0.0f;
    for (float& value : tensor.value->values()) {
      value = matrix ? scale * rng.normal() : rng.uniform(0.5f, 1.5f);
    }
  }
  models::save(net, {.resize = 40, .crop = 32}, path);
  if (labels == Labels::named) {
    models::Checkpoint checkpoint = models::read_checkpoint(path);
    checkpoint.metadata["labels"] = kLabels;
    models::write_safetensors(path, checkpoint);
  }
}

data::Image random_picture(std::size_t height, std::size_t width, unsigned seed) {
  constexpr std::size_t kSquare = 8;
  data::Image image{height, width, std::vector<std::uint8_t>(height * width * 3)};
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::size_t row = i / (width * 3) / kSquare;
    const std::size_t column = i / 3 % width / kSquare;
    Rng rng(seed, (row * 1000 + column) * 3 + i % 3);
    image.pixels[i] = static_cast<std::uint8_t>(rng.below(256));
  }
  return image;
}

std::string jpeg(const data::Image& image) {
  const Bytes bytes = encode(JpegSample{.height = static_cast<unsigned>(image.height),
                                        .width = static_cast<unsigned>(image.width),
                                        .samples = image.pixels});
  return {bytes.begin(), bytes.end()};
}

}  // namespace lamina::test

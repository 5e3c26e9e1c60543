#include "tests/apps/small_network.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <jpeglib.h>

#include "core/random.h"
#include "models/load.h"
#include "nn/module.h"

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
    models::Checkpoint checkpoint = models::read_safetensors(path);
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
  jpeg_compress_struct encoder{};
  jpeg_error_mgr errors{};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &bytes, &size);
  encoder.image_width = static_cast<JDIMENSION>(image.width);
  encoder.image_height = static_cast<JDIMENSION>(image.height);
  encoder.input_components = 3;
  encoder.in_color_space = JCS_RGB;
  jpeg_set_defaults(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  while (encoder.next_scanline < encoder.image_height) {
    auto* row =
        const_cast<std::uint8_t*>(image.pixels.data()) + encoder.next_scanline * image.width * 3;
    jpeg_write_scanlines(&encoder, &row, 1);
  }
  jpeg_finish_compress(&encoder);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&encoder);
  std::free(bytes);
  return file;
}

std::string huge_png_header() {
  static constexpr unsigned char kBytes[] = {
      0x89, 'P',  'N',  'G',  '\r', '\n', 0x1a, '\n',         // signature
      0x00, 0x00, 0x00, 0x0d, 'I',  'H',  'D',  'R',          // 13 bytes of IHDR
      0x00, 0x00, 0xea, 0x60, 0x00, 0x00, 0xea, 0x60,         // 60000, 60000
      0x08, 0x02, 0x00, 0x00, 0x00, 0x0f, 0xb0, 0xe2, 0x15};  // 8-bit RGB, checksum
  return {reinterpret_cast<const char*>(kBytes), sizeof kBytes};
}

}  // namespace lamina::test

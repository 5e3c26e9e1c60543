#pragma once

#include <filesystem>
#include <string>

#include "core/tensor.h"
#include "data/image.h"

namespace lamina::test {

/// Whether a checkpoint names its classes.
enum class Labels { named, nameless };

/// Writes a checkpoint of a small MobileNetV2 with random weights: 10 classes, from "ant" to
/// "jaçanã", pictures of 32 pixels a side.
void write_small_network(const std::filesystem::path& path, Labels labels = Labels::named);

/// A picture of random colors in large squares, another one for each seed.
data::Image random_picture(std::size_t height, std::size_t width, unsigned seed);

/// That picture as a JPEG file's bytes, encoded by libjpeg.
std::string jpeg(const data::Image& image);

/// The first 33 bytes of a PNG of 60000 x 60000 pixels.
std::string huge_png_header();

}  // namespace lamina::test

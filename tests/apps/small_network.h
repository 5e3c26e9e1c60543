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

/// The picture as a JPEG file's bytes.
std::string jpeg(const data::Image& image);

}  // namespace lamina::test

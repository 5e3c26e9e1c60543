#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor.h"
#include "data/image.h"
#include "data/resize.h"

namespace lamina::data {

enum class ChannelOrder { rgb, bgr };

/// What a network expects of its input, as a value: kept in the checkpoint's metadata, so that
/// nobody has to remember it. The default is torchvision's for ImageNet.
struct Preprocessing {
  std::size_t resize = 256;  ///< shorter side, pixels
  std::size_t crop = 224;    ///< side of the center crop, pixels
  Filter filter = Filter::bilinear;
  std::array<float, 3> mean = {0.485f, 0.456f, 0.406f};  ///< of values in [0, 1], R G B
  std::array<float, 3> std = {0.229f, 0.224f, 0.225f};   ///< R G B
  ChannelOrder channel_order = ChannelOrder::rgb;        ///< of the network's input

  bool operator==(const Preprocessing&) const = default;
};

/// Text by name, as a checkpoint's metadata holds it.
using Metadata = std::map<std::string, std::string>;

/// Writes the keys resize "256", resolution "224", interpolation "bilinear_antialias", mean
/// "0.485,0.456,0.406", std and channel_order "rgb"; floats as the shortest text that reads back
/// the same.
void store(const Preprocessing& preprocessing, Metadata& metadata);

/// Reads those keys, interpolation also without "_antialias"; empty when all are absent. Throws
/// Error naming the key and its text when one is malformed or alone absent, or sides are not 1 <=
/// resolution <= resize <= 8192.
std::optional<Preprocessing> read_preprocessing(const Metadata& metadata);

/// The resized and cropped picture, before normalization: crop x crop pixels, RGB. Throws Error
/// when the picture is empty or crop > resize.
Image resize_and_crop(const Image& image, const Preprocessing& preprocessing);

/// (x / 255 - mean) / std for each pixel of pictures of one size -> [N, H, W, 3], in the channel
/// order asked for; every operation rounded to float32, as torchvision's. Throws Error when the
/// list is empty or sizes differ.
Tensor normalize(std::span<const Image> images, const Preprocessing& preprocessing);

/// All of it for one picture -> [1, crop, crop, 3].
Tensor preprocess(const Image& image, const Preprocessing& preprocessing);

}  // namespace lamina::data

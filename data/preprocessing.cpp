#include "data/preprocessing.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/error.h"
#include "data/check_image.h"
#include "data/normalization.h"

namespace lamina::data {
namespace {

constexpr std::size_t kMaxSide = 8192;
constexpr std::array<const char*, 6> kKeys = {"resize", "resolution", "interpolation",
                                              "mean",   "std",        "channel_order"};

/// The shortest decimals that read back as the same floats.
std::string join(const std::array<float, 3>& values) {
  std::string joined;
  for (const float value : values) {
    std::array<char, 32> digits;
    char* end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    joined.append(joined.empty() ? "" : ",").append(digits.data(), end);
  }
  return joined;
}

void check_key(bool condition, const char* key, const char* rule, const std::string& value) {
  check(condition, "read_preprocessing: ", key, " must be ", rule, ": \"", value, "\"");
}

std::size_t read_side(const Metadata& metadata, const char* key) {
  const std::string& value = metadata.at(key);
  std::size_t side = 0;
  const char* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, side);
  check_key(error == std::errc() && stop == end && side >= 1 && side <= kMaxSide, key,
            "a whole number from 1 to 8192", value);
  return side;
}

Filter read_filter(const Metadata& metadata) {
  const std::string& value = metadata.at("interpolation");
  for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
    const std::string name(filter_name(filter));
    if (value == name || value == name + "_antialias") {
      return filter;
    }
  }
  check_key(false, "interpolation", "bilinear_antialias or bicubic_antialias", value);
  return {};
}

std::array<float, 3> read_channels(const Metadata& metadata, const char* key, const char* rule,
                                   float lowest) {
  const std::string& value = metadata.at(key);
  const char* from = value.data();
  const char* end = from + value.size();
  std::array<float, 3> channels{};
  for (std::size_t c = 0; c < 3; ++c) {
    const auto [stop, error] = std::from_chars(from, end, channels[c]);
    const bool separated = c < 2 ? stop != end && *stop == ',' : stop == end;
    check_key(
        error == std::errc() && separated && std::isfinite(channels[c]) && channels[c] >= lowest,
        key, rule, value);
    from = stop + 1;
  }
  return channels;
}

ChannelOrder read_channel_order(const Metadata& metadata) {
  const std::string& value = metadata.at("channel_order");
  check_key(value == "rgb" || value == "bgr", "channel_order", "rgb or bgr", value);
  return value == "rgb" ? ChannelOrder::rgb : ChannelOrder::bgr;
}

}  // namespace

void store(const Preprocessing& preprocessing, Metadata& metadata) {
  metadata["resize"] = std::to_string(preprocessing.resize);
  metadata["resolution"] = std::to_string(preprocessing.crop);
  metadata["interpolation"] = std::string(filter_name(preprocessing.filter)) + "_antialias";
  metadata["mean"] = join(preprocessing.mean);
  metadata["std"] = join(preprocessing.std);
  metadata["channel_order"] = preprocessing.channel_order == ChannelOrder::rgb ? "rgb" : "bgr";
}

std::optional<Preprocessing> read_preprocessing(const Metadata& metadata) {
  const auto is_absent = [&](const char* key) { return !metadata.contains(key); };
  const auto absent = std::ranges::find_if(kKeys, is_absent);
  if (std::ranges::all_of(kKeys, is_absent)) {
    return std::nullopt;
  }
  check(absent == kKeys.end(),
        "read_preprocessing: resize, resolution, interpolation, mean, std and channel_order must "
        "be there all or none: there is no ",
        absent == kKeys.end() ? "" : *absent);
  Preprocessing preprocessing{.resize = read_side(metadata, "resize"),
                              .crop = read_side(metadata, "resolution"),
                              .filter = read_filter(metadata),
                              .mean = read_channels(metadata, "mean", "three numbers",
                                                    std::numeric_limits<float>::lowest()),
                              .std = read_channels(metadata, "std", "three positive numbers",
                                                   std::numeric_limits<float>::min()),
                              .channel_order = read_channel_order(metadata)};
  check(preprocessing.crop <= preprocessing.resize,
        "read_preprocessing: resolution must be at most resize: ", preprocessing.crop, " of ",
        preprocessing.resize);
  return preprocessing;
}

Image resize_and_crop(const Image& image, const Preprocessing& preprocessing) {
  const auto [resize, crop] = std::pair(preprocessing.resize, preprocessing.crop);
  const Size size = shorter_side_size(image, resize);
  return resize_region(image, size.height, size.width, preprocessing.filter,
                       center_region(size, crop, crop));
}

Tensor normalize(std::span<const Image> images, const Preprocessing& preprocessing) {
  check(!images.empty(), "normalize: there must be a picture: the list is empty");
  const std::size_t height = images[0].height, width = images[0].width;
  for (const Image& image : images) {
    check_image("normalize", image);
    check(image.height == height && image.width == width,
          "normalize: pictures must have one size: ", height, " x ", width, " and ", image.height,
          " x ", image.width);
  }
  const NormalizationTables tables = normalization_tables(preprocessing);
  Tensor x = Tensor::uninitialized({images.size(), height, width, 3});
  float* to = x.data();
  const std::size_t first = preprocessing.channel_order == ChannelOrder::rgb ? 0 : 2;
  for (const Image& image : images) {
    const std::uint8_t* end = image.pixels.data() + image.pixels.size();
    for (const std::uint8_t* from = image.pixels.data(); from != end; from += 3, to += 3) {
      to[0] = tables[first][from[first]];
      to[1] = tables[1][from[1]];
      to[2] = tables[2 - first][from[2 - first]];
    }
  }
  return x;
}

Tensor preprocess(const Image& image, const Preprocessing& preprocessing) {
  const Image cropped = resize_and_crop(image, preprocessing);
  return normalize({&cropped, 1}, preprocessing);
}

}  // namespace lamina::data

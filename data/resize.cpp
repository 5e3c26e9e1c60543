#include "data/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/error.h"
#include "data/check_image.h"

namespace lamina::data {
namespace {

constexpr std::size_t kChannels = 3;
constexpr std::size_t kMaxPixels =
    static_cast<std::size_t>(std::numeric_limits<std::ptrdiff_t>::max()) / kChannels;
constexpr int kFractionBits = 22;
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

double support_of(Filter filter) { return filter == Filter::bilinear ? 1.0 : 2.0; }

double weight_at(Filter filter, double x) {
  x = std::abs(x);
  if (filter == Filter::bilinear) {
    return x < 1.0 ? 1.0 - x : 0.0;
  }
  constexpr double kA = -0.5;
  if (x < 1.0) {
    return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  }
  return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * kA : 0.0;
}

std::int32_t fixed_point(double x) {
  const double scaled = x * (1 << kFractionBits);
  return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

std::uint8_t to_byte(std::int32_t x) {
  return static_cast<std::uint8_t>(std::clamp(x >> kFractionBits, 0, 255));
}

/// Output pixel i is the sum over t < count of weights[i * count + t] * input[first[i] + t].
struct Taps {
  std::size_t count = 0;
  std::vector<std::size_t> first;
  std::vector<std::int32_t> weights;

  /// The input pixels that the outputs read: [begin, end).
  std::size_t begin() const { return first.front(); }
  std::size_t end() const { return first.back() + count; }
};

/// The steps, order of operations and truncations that decide Pillow's last bit.
Taps make_taps(std::size_t in_size, std::size_t out_size, std::size_t out_begin,
               std::size_t out_count, Filter filter) {
  const double scale = static_cast<double>(in_size) / static_cast<double>(out_size);
  const double stretch = std::max(scale, 1.0);
  const double support = support_of(filter) * stretch;
  const double inverse = 1.0 / stretch;
  std::vector<double> centers;
  std::vector<std::size_t> begins, ends;
  Taps taps;
  for (std::size_t i = out_begin; i < out_begin + out_count; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    centers.push_back(center);
    begins.push_back(static_cast<std::size_t>(std::max(center - support + 0.5, 0.0)));
    ends.push_back(std::min(static_cast<std::size_t>(center + support + 0.5), in_size));
    taps.count = std::max(taps.count, ends.back() - begins.back());
  }
  taps.weights.resize(out_count * taps.count);
  std::vector<double> exact(taps.count);
  for (std::size_t i = 0; i < out_count; ++i) {
    double total = 0;
    for (std::size_t t = 0; t < ends[i] - begins[i]; ++t) {
      const double x = static_cast<double>(begins[i] + t) - centers[i] + 0.5;
      exact[t] = weight_at(filter, x * inverse);
      total += exact[t];
    }
    taps.first.push_back(std::min(begins[i], in_size - taps.count));
    std::int32_t* weights = &taps.weights[i * taps.count + begins[i] - taps.first[i]];
    for (std::size_t t = 0; t < ends[i] - begins[i]; ++t) {
      weights[t] = fixed_point(exact[t] / total);
    }
  }
  return taps;
}

/// kRows rows of `in`, `in_stride` values apart, to as many rows of `out`.
template <std::size_t kRows>
void filter_rows(const std::uint8_t* in, std::size_t in_stride, const Taps& taps,
                 std::uint8_t* out) {
  const std::size_t width = taps.first.size();
  const std::int32_t* weights = taps.weights.data();
  for (std::size_t x = 0; x < width; ++x, weights += taps.count) {
    std::int32_t sums[kRows][kChannels];
    std::fill_n(&sums[0][0], kRows * kChannels, kHalf);
    const std::uint8_t* from = in + taps.first[x] * kChannels;
    for (std::size_t t = 0; t < taps.count; ++t, from += kChannels) {
      for (std::size_t row = 0; row < kRows; ++row) {
        for (std::size_t c = 0; c < kChannels; ++c) {
          sums[row][c] += weights[t] * from[row * in_stride + c];
        }
      }
    }
    for (std::size_t row = 0; row < kRows; ++row) {
      for (std::size_t c = 0; c < kChannels; ++c) {
        out[(row * width + x) * kChannels + c] = to_byte(sums[row][c]);
      }
    }
  }
}

/// Rows [begin, end) of `image`, each as wide as there are taps.
std::vector<std::uint8_t> resize_width(const Image& image, std::size_t begin, std::size_t end,
                                       const Taps& taps) {
  constexpr std::size_t kBlock = 4;
  const std::size_t in_stride = image.width * kChannels;
  const std::size_t out_stride = taps.first.size() * kChannels;
  std::vector<std::uint8_t> pixels((end - begin) * out_stride);
  const std::uint8_t* in = image.pixels.data() + begin * in_stride;
  std::uint8_t* out = pixels.data();
  std::size_t rows = end - begin;
  for (; rows >= kBlock; rows -= kBlock, in += kBlock * in_stride, out += kBlock * out_stride) {
    filter_rows<kBlock>(in, in_stride, taps, out);
  }
  for (; rows > 0; --rows, in += in_stride, out += out_stride) {
    filter_rows<1>(in, in_stride, taps, out);
  }
  return pixels;
}

/// kColumns values of one output row from `count` input rows, `stride` values apart.
template <std::size_t kColumns>
void filter_columns(const std::uint8_t* in, std::size_t stride, const std::int32_t* weights,
                    std::size_t count, std::uint8_t* out) {
  std::int32_t sums[kColumns];
  std::fill_n(sums, kColumns, kHalf);
  for (std::size_t t = 0; t < count; ++t, in += stride) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      sums[i] += weights[t] * in[i];
    }
  }
  for (std::size_t i = 0; i < kColumns; ++i) {
    out[i] = to_byte(sums[i]);
  }
}

/// `in` holds the input rows from taps.begin() on, `stride` values each.
std::vector<std::uint8_t> resize_height(const std::vector<std::uint8_t>& in, std::size_t stride,
                                        const Taps& taps) {
  constexpr std::size_t kBlock = 16;
  std::vector<std::uint8_t> pixels(taps.first.size() * stride);
  for (std::size_t y = 0; y < taps.first.size(); ++y) {
    const std::uint8_t* from = in.data() + (taps.first[y] - taps.begin()) * stride;
    const std::int32_t* weights = &taps.weights[y * taps.count];
    std::uint8_t* to = pixels.data() + y * stride;
    std::size_t i = 0;
    for (; i + kBlock <= stride; i += kBlock) {
      filter_columns<kBlock>(from + i, stride, weights, taps.count, to + i);
    }
    for (; i < stride; ++i) {
      filter_columns<1>(from + i, stride, weights, taps.count, to + i);
    }
  }
  return pixels;
}

std::vector<std::uint8_t> rows_of(const Image& image, const Region& region) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(region.height * region.width * kChannels);
  for (std::size_t y = 0; y < region.height; ++y) {
    const auto row =
        image.pixels.begin() +
        static_cast<std::ptrdiff_t>(((region.top + y) * image.width + region.left) * kChannels);
    pixels.insert(pixels.end(), row, row + static_cast<std::ptrdiff_t>(region.width * kChannels));
  }
  return pixels;
}

}  // namespace

std::string_view filter_name(Filter filter) {
  return filter == Filter::bilinear ? "bilinear" : "bicubic";
}

Image resize_region(const Image& image, std::size_t height, std::size_t width, Filter filter,
                    const Region& region) {
  check_image("resize", image);
  check(height > 0 && width > 0, "resize: both sides must be positive: ", height, " x ", width);
  check(region.height > 0 && region.width > 0 && region.top < height && region.left < width &&
            region.height <= height - region.top && region.width <= width - region.left,
        "resize: the region must lie in the resized picture: ", region.height, " x ", region.width,
        " pixels at (", region.top, ", ", region.left, ") of ", height, " x ", width);
  check(region.height <= kMaxPixels / region.width,
        "resize: the result must fit in memory: ", region.height, " x ", region.width, " pixels");
  Image result{region.height, region.width, {}};
  const Taps columns = make_taps(image.width, width, region.left, region.width, filter);
  if (image.height == height) {
    result.pixels = image.width == width
                        ? rows_of(image, region)
                        : resize_width(image, region.top, region.top + region.height, columns);
    return result;
  }
  const Taps rows = make_taps(image.height, height, region.top, region.height, filter);
  const Region strip{rows.begin(), region.left, rows.end() - rows.begin(), region.width};
  result.pixels =
      resize_height(image.width == width ? rows_of(image, strip)
                                         : resize_width(image, rows.begin(), rows.end(), columns),
                    region.width * kChannels, rows);
  return result;
}

Image resize(const Image& image, std::size_t height, std::size_t width, Filter filter) {
  return resize_region(image, height, width, filter, {0, 0, height, width});
}

Size shorter_side_size(const Image& image, std::size_t size) {
  check_image("resize", image);
  check(size <= kMaxPixels / std::max(image.height, image.width),
        "resize: the result must fit in memory: shorter side ", size);
  return image.height < image.width ? Size{size, size * image.width / image.height}
                                    : Size{size * image.height / image.width, size};
}

Image resize_shorter_side(const Image& image, std::size_t size, Filter filter) {
  const Size target = shorter_side_size(image, size);
  return resize(image, target.height, target.width, filter);
}

Region center_region(const Size& size, std::size_t height, std::size_t width) {
  check(height > 0 && width > 0 && height <= size.height && width <= size.width,
        "center_crop: the picture must be at least as large as the crop: ", size.height, " x ",
        size.width, " for a crop of ", height, " x ", width);
  const auto offset = [](std::size_t margin) {
    const std::size_t half = margin / 2;
    return margin % 2 == 0 ? half : half + half % 2;
  };
  return {offset(size.height - height), offset(size.width - width), height, width};
}

Image center_crop(const Image& image, std::size_t height, std::size_t width) {
  check_image("center_crop", image);
  const Region region = center_region({image.height, image.width}, height, width);
  return {height, width, rows_of(image, region)};
}

}  // namespace lamina::data

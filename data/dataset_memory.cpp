#include "data/dataset_memory.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace lamina::data {

MemoryDataset::MemoryDataset(Contents contents) : contents_(std::move(contents)) {
  const Contents& c = contents_;
  check(!c.labels.empty(), "MemoryDataset: ", c.name, ": there must be a picture: there is none");
  check(c.channels == 1 || c.channels == 3, "MemoryDataset: ", c.name,
        ": pictures must have 1 or 3 channels: have ", c.channels);
  const std::size_t count = c.pixels.size() / c.labels.size();
  const bool divides = c.pixels.size() % c.labels.size() == 0 && c.height > 0 && c.width > 0 &&
                       count % c.height == 0 && count / c.height % c.width == 0;
  check(divides && count / c.height / c.width == c.channels, "MemoryDataset: ", c.name,
        ": there must be a byte for each value: ", c.labels.size(), " pictures of ", c.height,
        " x ", c.width, " x ", c.channels, ", ", c.pixels.size(), " bytes");
  for (std::size_t i = 0; i < c.labels.size(); ++i) {
    check(c.labels[i] < c.class_names.size(), "MemoryDataset: ", name(i),
          ": labels must be below the number of classes: ", c.labels[i], " of ",
          c.class_names.size());
  }
}

void MemoryDataset::read(std::size_t i, Image& image) const {
  const std::size_t pixels = contents_.height * contents_.width;
  const std::uint8_t* from = contents_.pixels.data() + i * pixels * contents_.channels;
  image.height = contents_.height;
  image.width = contents_.width;
  image.pixels.resize(pixels * 3);
  if (contents_.channels == 3) {
    std::copy_n(from, pixels * 3, image.pixels.begin());
    return;
  }
  std::uint8_t* to = image.pixels.data();
  for (std::size_t p = 0; p < pixels; ++p, to += 3) {
    to[0] = to[1] = to[2] = from[p];
  }
}

std::string MemoryDataset::name(std::size_t i) const {
  return text(contents_.name, ": picture ", i);
}

}  // namespace lamina::data

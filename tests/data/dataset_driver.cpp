#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "core/error.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/mix.h"
#include "data/transform.h"
#include "data/trivial_augment.h"

namespace {

using namespace lamina;
using Words = std::istringstream;

template <class Value>
void put(std::string& out, const Value& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Value>
Value next(Words& words) {
  Value value{};
  words >> value;
  check(!words.fail(), "dataset_driver: a word is missing");
  return value;
}

void put_picture(std::string& out, const data::Image& image) {
  put(out, static_cast<std::uint32_t>(image.height));
  put(out, static_cast<std::uint32_t>(image.width));
  out.append(image.pixels.begin(), image.pixels.end());
}

void put_region(std::string& out, const data::Region& region) {
  for (const std::size_t value : {region.top, region.left, region.height, region.width}) {
    put(out, static_cast<double>(value));
  }
}

/// FOLDER SPLIT: the names of the classes, each on a line, an empty line, then for each picture its
/// label, sides and pixels.
std::string set(Words& words) {
  const auto folder = next<std::string>(words), split = next<std::string>(words);
  const auto dataset = data::open_dataset(folder, {.split = split == "train"  ? data::Split::train
                                                            : split == "test" ? data::Split::test
                                                                              : data::Split::all});
  std::string out;
  for (const std::string& name : dataset->class_names()) {
    out += name + "\n";
  }
  out += "\n";
  for (std::size_t i = 0; i < dataset->size(); ++i) {
    put(out, dataset->label(i));
    put_picture(out, dataset->image(i));
  }
  return out;
}

/// FILE OPERATION FACTOR: the changed picture.
std::string color(Words& words) {
  const std::map<std::string, void (*)(data::Image&, float)> operations = {
      {"brightness", data::change_brightness},
      {"contrast", data::change_contrast},
      {"saturation", data::change_saturation},
      {"hue", data::turn_hue}};
  data::Image image = data::read_image(next<std::string>(words));
  const auto operation = operations.at(next<std::string>(words));
  operation(image, next<float>(words));
  std::string out;
  put_picture(out, image);
  return out;
}

/// FILE OPERATION NUMBER...: the changed picture.
std::string change(Words& words) {
  data::Image image = data::read_image(next<std::string>(words));
  const auto operation = next<std::string>(words);
  if (operation == "affine") {
    data::AffineMap map;
    for (double* value : {&map.a, &map.b, &map.c, &map.d, &map.e, &map.f}) {
      *value = next<double>(words);
    }
    data::transform(image, map);
  } else if (operation == "rotate") {
    data::transform(image, data::rotation(next<double>(words), image));
  } else if (operation == "sharpness") {
    data::change_sharpness(image, next<float>(words));
  } else if (operation == "posterize") {
    data::posterize(image, next<unsigned>(words));
  } else if (operation == "solarize") {
    data::solarize(image, next<float>(words));
  } else if (operation == "autocontrast") {
    data::stretch_contrast(image);
  } else if (operation == "equalize") {
    data::equalize(image);
  } else {
    Rng rng(next<std::uint64_t>(words));
    data::trivial_augment(image, rng);
  }
  std::string out;
  put_picture(out, image);
  return out;
}

/// FILE SIDE SEED: the region that is drawn, then the values that the random crop becomes.
std::string crop(Words& words) {
  data::Image image = data::read_image(next<std::string>(words));
  const auto side = next<std::size_t>(words);
  const auto seed = next<std::uint64_t>(words);
  const data::RandomResizedCrop crop;
  std::string out;
  Rng same(seed), rng(seed);
  put_region(out, data::draw_crop(crop, {image.height, image.width}, same));
  const data::Transform transform({.resize = side, .crop = side}, {.crop = crop});
  std::vector<float> values(transform.size());
  transform(image, rng, values);
  for (const float value : values) {
    put(out, value);
  }
  return out;
}

/// crop|erasing|cutmix|beta PARAMETER HEIGHT WIDTH COUNT: that many draws, as doubles.
std::string draws(Words& words) {
  const auto kind = next<std::string>(words);
  const auto parameter = next<float>(words);
  const data::Size size{next<std::size_t>(words), next<std::size_t>(words)};
  Rng rng(17);
  std::string out;
  for (auto count = next<std::size_t>(words); count > 0; --count) {
    if (kind == "beta") {
      put(out, data::draw_beta(double{parameter}, rng));
    } else if (kind == "cutmix") {
      put_region(out, data::draw_cutmix(double{parameter}, size, rng));
    } else if (kind == "crop") {
      put_region(out, data::draw_crop({.min_scale = parameter}, size, rng));
    } else {
      put_region(out, data::draw_erasing({.probability = parameter}, size, rng)
                          .value_or(data::Region{0, 0, 0, 0}));
    }
  }
  return out;
}

std::string answer(const std::string& line) {
  const std::map<std::string, std::string (*)(Words&)> commands = {
      {"set", set}, {"color", color}, {"change", change}, {"crop", crop}, {"draws", draws}};
  Words words(line);
  return commands.at(next<std::string>(words))(words);
}

}  // namespace

/// Each line of the standard input is a command; the answer to each is a number of bytes on a line,
/// and the bytes, or "error message\n".
int main() {
  for (std::string line; std::getline(std::cin, line);) {
    try {
      const std::string bytes = answer(line);
      std::printf("%zu\n", bytes.size());
      std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    } catch (const std::exception& error) {
      std::printf("error %s\n", error.what());
    }
    std::fflush(stdout);
  }
}

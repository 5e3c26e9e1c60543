#pragma once

#include <cstdint>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/image.h"
#include "models/checkpoint/safetensors.h"
#include "tests/apps/program.h"
#include "tests/apps/small_network.h"
#include "tests/support/folder.h"

namespace lamina::test {

/// A folder of three classes that differ in color, 16 pictures of 16 x 16 pixels each, with the
/// splits train (12) and val (4); and how to train a tiny network on it.
class Train : public ::testing::Test {
 protected:
  Train() {
    for (const char* split : {"train", "val"}) {
      const bool training = std::string(split) == "train";
      for (unsigned c = 0; c < 3; ++c) {
        for (unsigned i = training ? 0 : 12; i < (training ? 12u : 16u); ++i) {
          write_picture(text("pictures/", split, '/', kClasses[c], '/', i, ".png"), c, i);
        }
      }
    }
  }

  static constexpr const char* kClasses[3] = {"blue", "green", "red"};

  std::string path(const std::string& name) const { return folder_ / name; }
  std::string data() const { return path("pictures"); }

  void write_picture(const std::string& name, unsigned c, unsigned seed) const {
    data::Image image = random_picture(16, 16, seed);
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      const auto value = image.pixels[i];
      image.pixels[i] = static_cast<std::uint8_t>(i % 3 == 2 - c ? 200 + value / 5 : value / 2);
    }
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    data::write_png(path(name), image);
  }

  /// A tiny network, seconds of training in all.
  Command command(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        data(),     "--out",     path(out),          "--width",     "0.1",
        "--epochs", "3",         "--batch",          "12",          "--lr",
        "0.05",     "--augment", "flip=0.5,shift=2", "--log-steps", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return {.arguments = std::move(arguments), .program = LAMINA_TRAIN};
  }

  Result train(const std::string& out, std::vector<std::string> more = {}) const {
    return run(command(out, std::move(more)));
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

  /// The bits of all tensors of a model, by name.
  std::map<std::string, std::vector<std::uint32_t>> bits(const std::string& name) const {
    std::map<std::string, std::vector<std::uint32_t>> bits;
    for (const auto& [tensor, values] : models::read_checkpoint(path(name)).tensors) {
      const auto* words = reinterpret_cast<const std::uint32_t*>(values.data());
      bits[tensor].assign(words, words + values.size());
    }
    return bits;
  }

  Folder folder_;
};

}  // namespace lamina::test

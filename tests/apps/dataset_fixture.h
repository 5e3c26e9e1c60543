#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/idx.h"
#include "models/checkpoint/safetensors.h"
#include "models/metadata.h"
#include "tests/apps/classify_fixture.h"
#include "tests/data/idx_files.h"

namespace lamina::test {

/// Gray test pictures of 28 x 28 pixels, as IDX files and as PNG files.
class ClassifyDatasets : public Classify {
 protected:
  using Json = nlohmann::json;

  static constexpr std::size_t kSide = 28;

  /// The gray values of picture i.
  static std::string gray(std::size_t i) {
    const data::Image colors = random_picture(kSide, kSide, static_cast<unsigned>(i));
    std::string values;
    for (std::size_t p = 0; p < kSide * kSide; ++p) {
      values.push_back(static_cast<char>(colors.pixels[3 * p]));
    }
    return values;
  }

  /// A file of picture i.
  std::string gray_png(std::size_t i) const {
    data::Image image{kSide, kSide, {}};
    for (const char value : gray(i)) {
      image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(value));
    }
    const std::string file = path(text("gray", i, ".png"));
    data::write_png(file, image);
    return file;
  }

  /// Writes a test split whose picture i has that label; returns the folder.
  std::string idx(const std::vector<std::size_t>& labels, const std::string& name = "idx") const {
    std::string pixels, bytes;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      pixels += gray(i);
      bytes.push_back(static_cast<char>(labels[i]));
    }
    const auto count = static_cast<std::uint32_t>(labels.size());
    std::filesystem::create_directories(path(name));
    write_file(path(name + "/t10k-images-idx3-ubyte.gz"),
               gzip(idx_bytes({count, kSide, kSide}, pixels)));
    write_file(path(name + "/t10k-labels-idx1-ubyte"), idx_bytes({count}, bytes));
    return path(name);
  }

  /// What the network says of the first pictures, from files of them.
  std::vector<Json> answers(std::size_t count) const {
    std::vector<std::string> arguments = {"--json", "--top", "10"};
    for (std::size_t i = 0; i < count; ++i) {
      arguments.push_back(gray_png(i));
    }
    return parse_lines(classify(arguments).out);
  }

  /// Labels of which the odd ones are not what the network says.
  static std::vector<std::size_t> half_right(const std::vector<Json>& answers) {
    std::vector<std::size_t> labels;
    for (std::size_t i = 0; i < answers.size(); ++i) {
      labels.push_back((answers[i]["predictions"][0]["index"].get<std::size_t>() + i % 2) % 10);
    }
    return labels;
  }

  /// Renames the network's classes.
  void rename(const std::vector<std::string>& labels) const {
    models::Checkpoint checkpoint = models::read_checkpoint(weights());
    checkpoint.metadata.erase("labels");
    models::store_labels(labels, checkpoint.metadata);
    models::write_safetensors(weights(), checkpoint);
  }

  static std::vector<Json> parse_lines(const std::string& text) {
    std::vector<Json> objects;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      objects.push_back(Json::parse(line));
    }
    return objects;
  }
};

}  // namespace lamina::test

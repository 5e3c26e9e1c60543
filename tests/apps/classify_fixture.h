#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/image.h"
#include "tests/apps/program.h"
#include "tests/apps/small_network.h"
#include "tests/support/folder.h"

namespace lamina::test {

/// A folder with a small network's weights, where each test puts its pictures.
class Classify : public ::testing::Test {
 protected:
  Classify() { write_small_network(weights()); }

  std::string weights() const { return folder_ / "weights.safetensors"; }
  std::string path(const std::string& name) const { return folder_ / name; }

  /// Writes a good picture and returns its path.
  std::string png(const std::string& name, unsigned seed = 1) const {
    data::write_png(path(name), random_picture(48, 64, seed));
    return path(name);
  }

  std::string png(unsigned number) const { return png(text(number, ".png"), number); }

  std::string file(const std::string& name, const std::string& bytes) const {
    write_file(path(name), bytes);
    return path(name);
  }

  std::vector<std::string> with_weights(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"--weights", weights()});
    return arguments;
  }

  /// Runs classify with those weights.
  Result classify(std::vector<std::string> arguments) const {
    return run({.arguments = with_weights(std::move(arguments))});
  }

  Folder folder_;
};

}  // namespace lamina::test

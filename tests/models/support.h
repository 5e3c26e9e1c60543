#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/checkpoint/safetensors.h"
#include "models/mobilenet_v2.h"

namespace lamina::test {

/// Gives every tensor values that keep activations of order one, and variances positive.
void randomize(models::MobileNetV2& net, std::uint64_t seed);

/// The bytes of a safetensors file with that header.
std::vector<std::uint8_t> safetensors_file(const std::string& header, const std::string& data);

/// Fresh every time, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace lamina::test

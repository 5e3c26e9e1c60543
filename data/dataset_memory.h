#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace lamina::data {

/// Pictures of one size, kept in memory as bytes.
class MemoryDataset : public Dataset {
 public:
  struct Contents {
    std::size_t height = 0, width = 0;
    std::size_t channels = 3;               ///< 1 for gray, 3 for RGB
    std::vector<std::uint8_t> pixels = {};  ///< [labels.size(), height, width, channels]
    std::vector<std::uint32_t> labels = {};
    std::vector<std::string> class_names = {};
    std::string name = {};  ///< of the set, for messages
  };

  /// Throws Error when there is no picture, the number of bytes is not what sides and labels ask
  /// for, or a label has no name.
  explicit MemoryDataset(Contents contents);

  std::size_t size() const override { return contents_.labels.size(); }
  const std::vector<std::string>& class_names() const override { return contents_.class_names; }
  std::uint32_t label(std::size_t i) const override { return contents_.labels[i]; }
  void read(std::size_t i, Image& image) const override;
  std::string name(std::size_t i) const override;

 private:
  Contents contents_;
};

}  // namespace lamina::data

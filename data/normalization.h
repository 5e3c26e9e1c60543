#pragma once

#include <array>
#include <cstddef>

#include "data/preprocessing.h"

namespace lamina::data {

/// What each byte of R, G and B becomes.
using NormalizationTables = std::array<std::array<float, 256>, 3>;

/// In float32, one rounding an operation, as torchvision's ToTensor and Normalize: the networks
/// were trained and measured on these values.
inline NormalizationTables normalization_tables(const Preprocessing& preprocessing) {
  NormalizationTables tables;
  for (std::size_t c = 0; c < tables.size(); ++c) {
    for (std::size_t value = 0; value < tables[c].size(); ++value) {
      const float x = static_cast<float>(value) / 255.0f;
      tables[c][value] = (x - preprocessing.mean[c]) / preprocessing.std[c];
    }
  }
  return tables;
}

}  // namespace lamina::data

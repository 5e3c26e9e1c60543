#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "data/image.h"

/// A contact sheet: what was classified, and as what, in one picture.
namespace lamina::apps {

inline constexpr std::size_t kMostOnSheet = 200;    ///< pictures
inline constexpr std::size_t kThumbnailSide = 168;  ///< pixels

struct SheetPicture {
  data::Image thumbnail;  ///< kThumbnailSide pixels a side at most
  std::string label;
  float probability;
  std::string truth;  ///< where the label is wrong; empty elsewhere
};

struct Sheet {
  std::string title;
  std::string subtitle;  ///< at the title's right
  std::vector<SheetPicture> pictures;
};

/// False where classify was built without cairo.
bool can_draw_sheets();

/// Writes the sheet as a PNG: a grid of thumbnails, under each its label and percentage; wrong ones
/// have a thick red frame, a cross and what they should be. One picture at least. Throws Error.
void draw(const Sheet& sheet, const std::filesystem::path& path);

}  // namespace lamina::apps

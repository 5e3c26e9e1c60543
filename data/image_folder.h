#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace lamina::data {

/// Pictures in a folder for each class: the folder's name is the class's, classes are numbered by
/// the order of their names, and pictures are the .png, .jpg and .jpeg files in it and below it,
/// sorted. What begins with a dot is passed over. Pictures are decoded when asked for.
///
/// Where `folder` has train/, val/ or test/ with folders inside, those are its splits: train/ to
/// train with, val/ (test/ where there is no val/) to test; the classes are train/'s, and the
/// others may have some of them. Elsewhere all pictures are to train with: hold_out() sets some
/// aside. Throws Error when the split is not there, there is no class, one has no picture, or a
/// folder cannot be read.
DatasetHandle open_image_folder(const std::filesystem::path& folder, Split split);

}  // namespace lamina::data

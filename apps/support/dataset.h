#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace lamina::apps {

/// How command lines name the files of Debian's package dataset-fashion-mnist.
inline constexpr std::string_view kFashionMnist = "fashion-mnist";

/// True for that name, and for folders that hold IDX or CIFAR-10 files.
bool names_dataset(const std::string& name);

/// The folder of the data set that a command line names: a folder's own name, or where the files
/// are that kFashionMnist stands for. Throws Error when those are not installed.
std::filesystem::path dataset_folder(const std::string& name);

/// For every class of the set, its index among a network's labels: the one of its name, or its
/// number where the set has no names. `name` stands for the set. Throws Error when there is none.
std::vector<std::size_t> network_classes(const data::Dataset& set,
                                         const std::vector<std::string>& labels,
                                         const std::string& name);

}  // namespace lamina::apps

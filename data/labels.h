#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::data {

/// The names of ImageNet's 1000 classes (ILSVRC 2012), in the order of their WordNet numbers:
/// index 0 is "tench, Tinca tinca".
const std::vector<std::string>& imagenet_labels();

/// The label table for a classifier of that many outputs: ImageNet's for 1000, "background" and
/// then ImageNet's for 1001, "class 0", "class 1", ... otherwise.
std::vector<std::string> default_labels(std::size_t classes);

}  // namespace lamina::data

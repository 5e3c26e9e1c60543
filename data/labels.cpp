#include "data/labels.h"

namespace lamina::data {
namespace detail {
extern const char kImagenetLabelsText[];
}

namespace {

std::vector<std::string> names_of(std::string_view lines) {
  std::vector<std::string> names;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    names.emplace_back(line.substr(line.find(' ') + 1));
    lines.remove_prefix(line.size() + 1);
  }
  return names;
}

}  // namespace

const std::vector<std::string>& imagenet_labels() {
  static const std::vector<std::string> kLabels = names_of(detail::kImagenetLabelsText);
  return kLabels;
}

std::vector<std::string> default_labels(std::size_t classes) {
  std::vector<std::string> labels;
  const std::vector<std::string>& imagenet = imagenet_labels();
  if (classes == imagenet.size() || classes == imagenet.size() + 1) {
    if (classes > imagenet.size()) {
      labels.emplace_back("background");
    }
    labels.insert(labels.end(), imagenet.begin(), imagenet.end());
    return labels;
  }
  for (std::size_t i = 0; i < classes; ++i) {
    labels.push_back("class " + std::to_string(i));
  }
  return labels;
}

}  // namespace lamina::data

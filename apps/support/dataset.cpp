#include "apps/support/dataset.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/labels.h"

namespace lamina::apps {

bool names_dataset(const std::string& name) {
  std::error_code ignored;
  return name == kFashionMnist || (std::filesystem::is_directory(name, ignored) &&
                                   (data::has_idx_files(name) || data::has_cifar_files(name)));
}

std::filesystem::path dataset_folder(const std::string& name) {
  if (name != kFashionMnist) {
    return name;
  }
  const auto found = data::find_fashion_mnist();
  check(found.has_value(), kFashionMnist,
        ": is not installed: install Debian's package dataset-fashion-mnist, or name a folder");
  return *found;
}

std::vector<std::size_t> network_classes(const data::Dataset& set,
                                         const std::vector<std::string>& labels,
                                         const std::string& name) {
  const std::vector<std::string>& names = set.class_names();
  std::vector<std::size_t> classes(names.size());
  const auto stranger = std::ranges::find_if(names, [&](const std::string& of_set) {
    return std::ranges::find(labels, of_set) == labels.end();
  });
  if (stranger == names.end()) {
    std::ranges::transform(names, classes.begin(), [&](const std::string& of_set) {
      return static_cast<std::size_t>(std::ranges::find(labels, of_set) - labels.begin());
    });
    return classes;
  }
  const bool nameless = names == data::default_labels(names.size());
  check(nameless && names.size() <= labels.size(), name,
        ": its classes must be among the network's: it has ", *stranger, ", the network ",
        labels.size(), " others: ", labels.front(), ", ...");
  std::iota(classes.begin(), classes.end(), std::size_t{0});
  return classes;
}

}  // namespace lamina::apps

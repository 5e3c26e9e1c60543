#include <algorithm>
#include <iterator>
#include <utility>

#include "models/load.h"

namespace lamina::models {

Classifier read_classifier(const std::filesystem::path& path, const VariantOptions& given) {
  return make_classifier(read_archive(path), path.string(), given);
}

Classifier make_classifier(Archive archive, const std::string& name, const VariantOptions& given) {
  const Renamed renamed = with_our_names(std::move(archive));
  check_growth(renamed.archive, name);
  Variant variant = read_variant(describe(renamed, name), name, given);
  Classifier classifier{.net = std::make_unique<MobileNetV2>(variant.options),
                        .preprocessing = variant.preprocessing,
                        .labels = std::move(variant.labels),
                        .assumptions = renamed.archive.remarks};
  std::ranges::copy(renamed.remarks, std::back_inserter(classifier.assumptions));
  std::ranges::copy(variant.assumptions, std::back_inserter(classifier.assumptions));
  load(*classifier.net, renamed, name);
  return classifier;
}

}  // namespace lamina::models

#include <algorithm>

#include "core/error.h"
#include "data/labels.h"
#include "models/load.h"
#include "models/metadata.h"

namespace lamina::models {
namespace {

std::vector<std::string> labels_of(const Checkpoint& checkpoint, std::size_t classes,
                                   const std::string& name, std::vector<std::string>& assumptions) {
  const auto labels = read_labels(checkpoint.metadata);
  if (!labels) {
    const std::size_t imagenet = data::imagenet_labels().size();
    assumptions.emplace_back(classes == imagenet || classes == imagenet + 1
                                 ? "The classes are taken to be ImageNet's."
                                 : "The classes have no names.");
    return data::default_labels(classes);
  }
  check(labels->size() == classes, "read_classifier: ", name,
        ": labels must have a line for each class: it has ", labels->size(), ", the classes are ",
        classes);
  return *labels;
}

data::Preprocessing read_preprocessing(const Checkpoint& checkpoint,
                                       std::vector<std::string>& assumptions) {
  if (const auto preprocessing = data::read_preprocessing(checkpoint.metadata)) {
    return *preprocessing;
  }
  const data::Preprocessing assumed;
  assumptions.push_back(text("Preprocessing is taken to be torchvision's for ImageNet: resize to ",
                             assumed.resize, ", crop ", assumed.crop,
                             ", its mean and standard deviation."));
  return assumed;
}

}  // namespace

Classifier read_classifier(const std::filesystem::path& path) {
  const Checkpoint checkpoint = read_checkpoint(path);
  const std::string name = path.string();
  Classifier classifier;
  const MobileNetV2Options options = read_options(checkpoint, name, classifier.assumptions);
  classifier.preprocessing = read_preprocessing(checkpoint, classifier.assumptions);
  classifier.labels = labels_of(checkpoint, options.classes, name, classifier.assumptions);
  classifier.net = std::make_unique<MobileNetV2>(options);
  load(*classifier.net, checkpoint, name);
  return classifier;
}

}  // namespace lamina::models

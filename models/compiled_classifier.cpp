#include "models/compiled_classifier.h"

#include "core/error.h"
#include "models/metadata.h"

namespace lamina::models {

CompiledClassifier compile(const Classifier& classifier) {
  data::Metadata metadata;
  data::store(classifier.preprocessing, metadata);
  store_labels(classifier.labels, metadata);
  nn::Plan plan = nn::compile(nn::trace(*classifier.net, classifier.input_shape()),
                              {.metadata = std::move(metadata)});
  return {std::move(plan), classifier.preprocessing, classifier.labels};
}

CompiledClassifier load_compiled_classifier(const std::filesystem::path& path) {
  nn::Plan plan = nn::load_plan(path);
  const auto preprocessing = data::read_preprocessing(plan.metadata());
  const auto labels = read_labels(plan.metadata());
  check(preprocessing && labels, "load_plan: ", path.string(),
        ": must be the plan of a classifier: it has no preprocessing or no labels");
  const Shape input = {1, preprocessing->crop, preprocessing->crop, 3};
  const Shape output = {1, labels->size()};
  check(plan.input_shape() == input && plan.output_shape() == output, "load_plan: ", path.string(),
        ": preprocessing and labels must fit the plan: they need ", input, " and ", output,
        ", it has ", plan.input_shape(), " and ", plan.output_shape());
  return {std::move(plan), *preprocessing, *labels};
}

}  // namespace lamina::models

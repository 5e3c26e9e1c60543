#include "apps/convert/convert.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/random.h"
#include "models/checkpoint/onnx.h"
#include "models/checkpoint/torch/writer.h"
#include "models/model_file.h"

namespace lamina::apps {
namespace {

// Of each weight, relative; through 53 layers errors add up as their squares do, with some room.
constexpr double kFloatTolerance = 1e-4;
constexpr double kF16Tolerance = 0.02;
constexpr double kBf16Tolerance = 0.15;

double tolerance_of(models::StoredType type) {
  switch (type) {
    case models::StoredType::f32:
      break;
    case models::StoredType::f16:
      return kF16Tolerance;
    case models::StoredType::bf16:
      return kBf16Tolerance;
  }
  return kFloatTolerance;
}

Tensor random_picture(const Shape& shape) {
  Tensor x = Tensor::uninitialized(shape);
  Rng rng(1);
  for (float& value : x.values()) {
    value = rng.uniform(-1.0f, 1.0f);
  }
  return x;
}

}  // namespace

void write(models::Classifier& classifier, const ConvertOptions& options) {
  if (options.target == Target::onnx) {
    models::OnnxExport onnx{.opset = options.opset};
    data::store(classifier.preprocessing, onnx.metadata);
    models::store_labels(classifier.labels, onnx.metadata);
    models::write_onnx(options.out, nn::trace(*classifier.net, classifier.input_shape()), onnx);
    return;
  }
  models::Checkpoint checkpoint =
      models::with_names(models::to_checkpoint(*classifier.net), options.naming);
  data::store(classifier.preprocessing, checkpoint.metadata);
  models::store_labels(classifier.labels, checkpoint.metadata);
  if (options.target == Target::torch) {
    models::write_torch(options.out, checkpoint);
  } else {
    models::write_safetensors(options.out, checkpoint, options.type);
  }
}

Difference compare(const models::Classifier& classifier, const ConvertOptions& options) {
  const models::ReadClassifier written = models::read_compiled_classifier(options.out);
  const Tensor x = random_picture(classifier.input_shape());
  const Tensor want = (*classifier.net)(x);
  const Tensor got = written.classifier.plan(x);
  Difference difference{.tolerance = tolerance_of(options.type)};
  if (got.shape() != want.shape()) {
    difference.largest = INFINITY;
    return difference;
  }
  for (std::size_t i = 0; i < want.size(); ++i) {
    const double apart = std::abs(static_cast<double>(got.data()[i]) - want.data()[i]);
    difference.largest = std::isnan(apart) ? INFINITY : std::max(difference.largest, apart);
    difference.scale = std::max(difference.scale, std::abs(static_cast<double>(want.data()[i])));
  }
  return difference;
}

}  // namespace lamina::apps

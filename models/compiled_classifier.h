#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "models/load.h"
#include "nn/plan.h"

namespace lamina::models {

/// A classifier ready to run: input [N, crop, crop, 3] as preprocessing makes it -> logits
/// [N, labels].
struct CompiledClassifier {
  nn::Plan plan;
  data::Preprocessing preprocessing;
  std::vector<std::string> labels;
};

/// Compiles for one image at a time, with preprocessing and labels in plan.metadata(), so that
/// plan.save() keeps them too.
CompiledClassifier compile(const Classifier& classifier);

/// Reads the plan file of a compiled classifier. Throws Error as nn::load_plan does, and when the
/// plan has no preprocessing or labels, or they do not fit its shapes.
CompiledClassifier load_compiled_classifier(const std::filesystem::path& path);

}  // namespace lamina::models

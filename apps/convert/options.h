#pragma once

#include <optional>
#include <string>

#include "apps/support/console.h"
#include "models/checkpoint/safetensors.h"
#include "models/variant.h"

namespace lamina::apps {

enum class Target { safetensors, torch, onnx };

/// The command line of convert.
struct ConvertOptions {
  std::string in, out;
  Target target = Target::safetensors;
  models::Naming naming = models::Naming::torchvision;
  models::StoredType type = models::StoredType::f32;
  bool folds = false;  ///< batch norm into the convolutions
  int opset = 17;
  models::VariantOptions variant;
};

/// Empty when --help or --version has been answered. Throws UsageError.
std::optional<ConvertOptions> read_options(int argc, const char* const* argv, Console& console);

}  // namespace lamina::apps

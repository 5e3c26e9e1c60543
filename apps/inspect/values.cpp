#include "apps/inspect/values.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "core/error.h"

namespace lamina::apps {
namespace {

void measure(std::span<const float> values, TensorFacts& facts) {
  facts.lowest = std::numeric_limits<double>::infinity();
  facts.highest = -facts.lowest;
  double sum = 0.0;
  std::uint64_t finite = 0;
  for (const float value : values) {
    const int kind = std::fpclassify(value);
    facts.nan += kind == FP_NAN ? 1 : 0;
    facts.infinite += kind == FP_INFINITE ? 1 : 0;
    facts.denormal += kind == FP_SUBNORMAL ? 1 : 0;
    if (kind != FP_NAN && kind != FP_INFINITE) {
      facts.lowest = std::min<double>(facts.lowest, value);
      facts.highest = std::max<double>(facts.highest, value);
      sum += value;
      ++finite;
    }
  }
  if (finite == 0) {
    facts.lowest = facts.highest = 0.0;
  }
  facts.mean = finite == 0 ? 0.0 : sum / static_cast<double>(finite);
}

// "3 of 32 values of features.0.1.weight".
std::string part(std::uint64_t count, const TensorFacts& facts) {
  return text(count, " of ", facts.size, facts.size == 1 ? " value of " : " values of ",
              facts.name);
}

}  // namespace

TensorFacts measure(const std::string& name, const models::StoredTensor& tensor) {
  TensorFacts facts{.name = name,
                    .type = std::string(tensor.type->name),
                    .shape = tensor.shape,
                    .size = tensor.size()};
  if (tensor.quantization != nullptr) {
    facts.type += ", quantized";
  }
  models::StoredTensor flat = tensor;
  if (flat.shape.size() > Shape::kMaxRank) {
    if (!flat.strides.empty()) {
      facts.type += ", not measured";
      return facts;
    }
    flat.shape = {flat.size()};
    flat.quantization = nullptr;
  }
  const Tensor values = models::to_float(flat);
  measure(values.values(), facts);
  return facts;
}

TensorFacts measure(const std::string& name, const Tensor& tensor) {
  TensorFacts facts{.name = name,
                    .type = "F32",
                    .shape = {tensor.shape().begin(), tensor.shape().end()},
                    .size = tensor.size()};
  measure(tensor.values(), facts);
  return facts;
}

std::vector<std::string> find_suspicious(const std::vector<TensorFacts>& tensors) {
  std::vector<std::string> found;
  for (const TensorFacts& facts : tensors) {
    if (facts.nan > 0) {
      found.push_back(part(facts.nan, facts) + " are NaN");
    }
    if (facts.infinite > 0) {
      found.push_back(part(facts.infinite, facts) + " are infinite");
    }
    if (facts.denormal > 0) {
      found.push_back(part(facts.denormal, facts) + " are denormal");
    }
    const bool variance =
        facts.name.ends_with("running_var") || facts.name.ends_with("moving_variance");
    if (variance && facts.size > 0 && facts.lowest <= 0.0) {
      found.push_back(text(facts.name, " has a variance ",
                           facts.lowest < 0.0 ? "below zero: " : "of zero: ", facts.lowest));
    }
  }
  return found;
}

}  // namespace lamina::apps

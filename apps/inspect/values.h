#pragma once

#include <string>
#include <vector>

#include "apps/inspect/report.h"
#include "core/tensor.h"
#include "models/checkpoint/archive.h"

namespace lamina::apps {

/// Measures one tensor.
TensorFacts measure(const std::string& name, const models::StoredTensor& tensor);
TensorFacts measure(const std::string& name, const Tensor& tensor);

/// Sentences on what weights should not have: NaN, infinity, denormals, variances of zero or less.
std::vector<std::string> find_suspicious(const std::vector<TensorFacts>& tensors);

}  // namespace lamina::apps

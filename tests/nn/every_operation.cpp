#include "tests/nn/every_operation.h"

#include <algorithm>

#include "tests/support/tensors.h"

namespace lamina::test {

using nn::ConvNormActivation;

void randomize(nn::Module& module) {
  std::uint64_t seed = 1;
  for (const nn::NamedTensor& tensor : nn::named_tensors(module)) {
    const Tensor values = random_tensor(tensor.value->shape(), seed++);
    const bool variance = tensor.name.ends_with("running_var");
    std::ranges::transform(values.values(), tensor.value->data(),
                           [&](float x) { return variance ? x + 1.5f : 0.4f * x; });
  }
}

EveryOperation::EveryOperation(nn::PaddingMode padding)
    : stem_({.in_channels = 3, .out_channels = 12, .kernel = 3, .stride = 2, .padding = padding},
            ConvNormActivation::Activation::relu6, 1e-3f),
      filter_({.in_channels = 12, .out_channels = 12, .kernel = 3, .groups = 12},
              ConvNormActivation::Activation::relu6, 1e-3f),
      project_({.in_channels = 12, .out_channels = 8}, ConvNormActivation::Activation::none, 1e-3f),
      expand_({.in_channels = 8, .out_channels = 24}, ConvNormActivation::Activation::relu6, 1e-3f),
      filter2_({.in_channels = 24,
                .out_channels = 24,
                .kernel = 3,
                .stride = 2,
                .groups = 24,
                .padding = padding},
               ConvNormActivation::Activation::relu6, 1e-3f),
      project2_({.in_channels = 24, .out_channels = 8}, ConvNormActivation::Activation::none,
                1e-3f),
      grouped_({.in_channels = 8, .out_channels = 16, .kernel = {1, 3}, .groups = 2}),
      dilated_({.in_channels = 16, .out_channels = 8, .kernel = 3, .dilation = 2}),
      wide_({.in_channels = 8, .out_channels = 8, .kernel = 5, .groups = 8}),
      norm_(8),
      linear_(8, 5) {}

Tensor EveryOperation::forward(const Tensor& x) const {
  const Tensor a = project_(filter_(stem_(x)));
  const Tensor b = project2_(filter2_(expand_(a)));
  const Tensor c = nn::add(b, dilated_(grouped_(b)));
  const Tensor d = nn::add(wide_(c), c);
  const Tensor e = nn::relu6(nn::add(norm_(d), d));
  return nn::softmax(linear_(nn::global_average_pool(e)));
}

void EveryOperation::members(nn::Members& visit) {
  visit.module("stem", stem_);
  visit.module("filter", filter_);
  visit.module("project", project_);
  visit.module("expand", expand_);
  visit.module("filter2", filter2_);
  visit.module("project2", project2_);
  visit.module("grouped", grouped_);
  visit.module("dilated", dilated_);
  visit.module("wide", wide_);
  visit.module("norm", norm_);
  visit.module("linear", linear_);
}

}  // namespace lamina::test

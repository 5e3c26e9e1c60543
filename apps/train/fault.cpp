#include "apps/train/fault.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/autograd.h"
#include "core/error.h"
#include "models/mobilenet_v2.h"

namespace lamina::apps {
namespace {

bool is_finite(const Tensor& values) {
  return std::ranges::all_of(values.values(), [](float value) { return std::isfinite(value); });
}

struct Suspect {
  std::string name;
  const nn::Module* layer;
};

// The layers of a network in order, each taking the result of the one before.
std::vector<Suspect> layers_of(nn::Module& module) {
  const auto* net = dynamic_cast<const models::MobileNetV2*>(&module);
  if (net == nullptr) {
    return {};
  }
  std::vector<Suspect> layers = {{"features.0", &net->stem()}};
  for (const auto& block : net->blocks()) {
    layers.push_back({text("features.", layers.size()), block.get()});
  }
  layers.push_back({text("features.", layers.size()), &net->last()});
  return layers;
}

// Inside of a block, where the fault began.
std::string first_bad_part(const Suspect& suspect, const Tensor& x) {
  const auto* block = dynamic_cast<const models::InvertedResidual*>(suspect.layer);
  Tensor y = x;
  for (const auto& part :
       block != nullptr ? block->parts() : std::vector<models::InvertedResidual::Part>{}) {
    y = part.layer->forward(y);
    if (!is_finite(y)) {
      return text("the output of ", suspect.name, '.', part.name, " is: ", statistics(y));
    }
  }
  return text("the output of ", suspect.name, " is: ", statistics(suspect.layer->forward(x)));
}

std::string first_bad_output(nn::Module& module, const Tensor& input) {
  const NoGrad no_grad;
  Tensor x = input;
  for (const Suspect& suspect : layers_of(module)) {
    const Tensor y = suspect.layer->forward(x);
    if (!is_finite(y)) {
      return first_bad_part(suspect, x);
    }
    x = y;
  }
  const Tensor logits = module(input);
  return is_finite(logits) ? text("the loss alone, of logits that are finite: ", statistics(logits))
                           : text("the classifier's output is: ", statistics(logits));
}

std::string first_bad_gradient(nn::Module& module) {
  const std::vector<nn::NamedTensor> parameters = nn::parameters(module);
  for (auto parameter = parameters.rbegin(); parameter != parameters.rend(); ++parameter) {
    const Tensor gradient = parameter->value->grad();
    if (!is_finite(gradient)) {
      return text("the gradient of ", parameter->name, " is: ", statistics(gradient));
    }
  }
  return "the norm of all gradients, which overflows";
}

}  // namespace

std::string statistics(const Tensor& values) {
  std::size_t not_numbers = 0, infinite = 0;
  float lowest = HUGE_VALF, highest = -HUGE_VALF;
  for (const float value : values.values()) {
    if (std::isnan(value)) {
      ++not_numbers;
    } else if (std::isinf(value)) {
      ++infinite;
    } else {
      lowest = std::min(lowest, value);
      highest = std::max(highest, value);
    }
  }
  const std::string others =
      lowest <= highest ? text("; the others from ", lowest, " to ", highest) : std::string();
  return text(not_numbers, " NaN and ", infinite, " infinite of ", values.size(), others);
}

std::string explain(Fault fault, nn::Module& module, const Tensor& input) {
  if (!is_finite(input)) {
    return text("the input is: ", statistics(input));
  }
  if (const auto tensor = bad_tensor(module)) {
    return *tensor;
  }
  return fault == Fault::loss ? first_bad_output(module, input) : first_bad_gradient(module);
}

std::optional<std::string> bad_tensor(nn::Module& module) {
  for (const nn::NamedTensor& tensor : nn::named_tensors(module)) {
    const Tensor& values = *tensor.value;
    if (!is_finite(values)) {
      return text(tensor.kind == nn::TensorKind::parameter ? "parameter " : "buffer ", tensor.name,
                  " is: ", statistics(values));
    }
  }
  return std::nullopt;
}

}  // namespace lamina::apps

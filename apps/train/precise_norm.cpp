#include "apps/train/precise_norm.h"

#include "core/autograd.h"
#include "nn/layers.h"

namespace lamina::apps {
namespace {

void set_momentum(nn::Module& module, float momentum) {
  nn::for_each_module(module, [=](const std::string&, nn::Module& part) {
    if (auto* norm = dynamic_cast<nn::BatchNorm2d*>(&part)) {
      norm->set_momentum(momentum);
    }
  });
}

}  // namespace

void recompute_statistics(nn::Module& module, Source& training, std::size_t batches) {
  module.train();
  const NoGrad no_grad;
  training.seek({});
  for (std::size_t i = 0; i < batches; ++i) {
    const auto batch = training.next();
    if (!batch) {
      break;
    }
    set_momentum(module, 1.0f / static_cast<float>(i + 1));  // a running mean
    module(batch->images);
  }
  module.eval();
}

}  // namespace lamina::apps

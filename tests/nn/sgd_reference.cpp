#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/safetensors.h"
#include "nn/optim.h"
#include "tests/support/shared_data.h"

// Five steps of SGD against PyTorch's, in float64.
namespace lamina {
namespace {

nn::SgdOptions options_from(const nlohmann::json& json) {
  return {.rate = json.at("lr"),
          .momentum = json.value("momentum", 0.0),
          .dampening = json.value("dampening", 0.0),
          .weight_decay = json.value("weight_decay", 0.0),
          .form = json.value("nesterov", false) ? nn::MomentumForm::nesterov
                                                : nn::MomentumForm::classic};
}

void expect_rows(const models::Checkpoint& reference, const std::string& name) {
  Tensor w = reference.tensors.at("param0").clone();
  nn::Sgd sgd({{"w", nn::TensorKind::parameter, &w}},
              options_from(nlohmann::json::parse(reference.metadata.at(name))));
  const std::span<const float> gradients = reference.tensors.at("grads").values();
  const std::span<const float> want = reference.tensors.at(name + "/f64").values();
  for (std::size_t begin = 0; begin < want.size(); begin += w.size()) {
    w.set_grad(Tensor::from(w.shape(), gradients.subspan(begin, w.size())));
    sgd.step();
    for (std::size_t i = 0; i < w.size(); ++i) {
      EXPECT_NEAR(w.data()[i], want[begin + i], 1e-6) << name << ' ' << begin + i;
    }
  }
}

TEST(SgdReference, EveryForm) {
  LAMINA_NEEDS_SHARED_DATA();
  const models::Checkpoint reference =
      models::read_safetensors(test::shared_data() / "training/sgd_reference.safetensors");
  ASSERT_EQ(reference.metadata.size(), 6u);
  for (const auto& [name, options] : reference.metadata) {
    expect_rows(reference, name);
  }
}

}  // namespace
}  // namespace lamina

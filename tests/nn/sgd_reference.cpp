#include <array>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "models/checkpoint/safetensors.h"
#include "nn/optim.h"
#include "tests/support/shared_data.h"

// Five steps of SGD in each form against PyTorch's in float64. The file's forms follow one another:
// each starts where PyTorch's float32 steps of the one before ended, and "param0" is where the last
// one ended. The start of the first is not kept, so its first step is not checked.
namespace lamina {
namespace {

constexpr std::array kForms = {"plain", "mom", "mom_wd", "mom_wd_big", "nesterov", "damp"};

class SgdReference : public testing::Test {
 protected:
  void SetUp() override {
    LAMINA_NEEDS_SHARED_DATA();
    reference_ =
        models::read_checkpoint(test::shared_data() / "training/sgd_reference.safetensors");
  }

  Tensor row(const std::string& name, std::size_t i) const {
    const Tensor& rows = reference_.tensors.at(name);
    const std::size_t count = rows.shape()[1];
    return Tensor::from({count}, rows.values().subspan(i * count, count));
  }

  std::size_t steps() const { return reference_.tensors.at("grads").shape()[0]; }

  nn::SgdOptions options(const std::string& form) const {
    const auto json = nlohmann::json::parse(reference_.metadata.at(form));
    return {.rate = json.at("lr"),
            .momentum = json.value("momentum", 0.0),
            .dampening = json.value("dampening", 0.0),
            .weight_decay = json.value("weight_decay", 0.0),
            .form = json.value("nesterov", false) ? nn::MomentumForm::nesterov
                                                  : nn::MomentumForm::classic};
  }

  void expect_steps(const std::string& form, Tensor w, std::size_t first) const {
    w.track();
    nn::Sgd sgd({{"w", nn::TensorKind::parameter, &w}}, options(form));
    for (std::size_t step = first; step < steps(); ++step) {
      w.set_grad(row("grads", step));
      sgd.step();
      const Tensor want = row(form + "/f64", step);
      for (std::size_t i = 0; i < w.size(); ++i) {
        EXPECT_NEAR(w.data()[i], want.data()[i], 1e-6) << form << ' ' << step << ' ' << i;
      }
    }
  }

 private:
  models::Checkpoint reference_;
};

TEST_F(SgdReference, EveryForm) {
  expect_steps("plain", row("plain/f32", 0), 1);
  for (std::size_t i = 1; i < kForms.size(); ++i) {
    expect_steps(kForms[i], row(text(kForms[i - 1], "/f32"), steps() - 1), 0);
  }
}

}  // namespace
}  // namespace lamina

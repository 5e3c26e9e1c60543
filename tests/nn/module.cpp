#include "nn/module.h"

#include <gtest/gtest.h>

#include "nn/layers.h"

namespace lamina {
namespace {

// Two tensors of its own, a named part and an unnamed one.
class Outer : public nn::Module {
 public:
  Tensor forward(const Tensor& x) const override { return x; }
  void members(nn::Members& visit) override {
    visit.parameter("gain", gain);
    visit.module("inner", inner);
    visit.module("", unnamed);
    visit.buffer("count", count);
  }

  Tensor gain = Tensor::zeros({1});
  Tensor count = Tensor::zeros({2});
  nn::BatchNorm2d inner{3};
  nn::Linear unnamed{2, 4};
};

TEST(Module, NamesEveryTensorInOrder) {
  Outer outer;
  std::string listed;
  for (const nn::NamedTensor& tensor : nn::named_tensors(outer)) {
    listed += tensor.name + (tensor.kind == nn::TensorKind::buffer ? "* " : " ");
  }
  EXPECT_EQ(listed,
            "gain inner.weight inner.bias inner.running_mean* inner.running_var* weight bias "
            "count* ");
  EXPECT_EQ(nn::named_tensors(outer)[3].value, &outer.inner.running_mean);
}

TEST(Module, VisitsEveryPartWithItsWholeName) {
  nn::Sequential sequence;
  sequence.emplace<nn::Relu6>();
  sequence.emplace<nn::ConvNormActivation>(
      nn::Conv2dLayerOptions{.in_channels = 2, .out_channels = 3},
      nn::ConvNormActivation::Activation::none, 1e-5f);
  std::string listed;
  nn::for_each_module(sequence,
                      [&](const std::string& name, nn::Module&) { listed += '[' + name + ']'; });
  EXPECT_EQ(listed, "[][0][1][1.0][1.1]");
}

}  // namespace
}  // namespace lamina

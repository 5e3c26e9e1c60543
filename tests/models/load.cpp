#include "models/load.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/state.h"
#include "tests/models/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

using models::Checkpoint;
using models::MobileNetV2;

const models::MobileNetV2Options kSmall{.classes = 4, .width = 0.1f, .last_channels = 24};

TEST(Load, TurnsConvolutionsFromTheFilesLayout) {
  MobileNetV2 net(kSmall);
  test::randomize(net, 1);
  const Checkpoint checkpoint = models::to_checkpoint(net);
  const Tensor& stem = checkpoint.tensors.at("features.0.0.weight");
  ASSERT_EQ(stem.shape(), (Shape{8, 3, 3, 3}));
  // Output 5, input 2, row 1, column 0.
  EXPECT_EQ(stem.data()[((5 * 3 + 2) * 3 + 1) * 3 + 0],
            net.stem().convolution().weight.data()[((5 * 3 + 1) * 3 + 0) * 3 + 2]);
  EXPECT_EQ(checkpoint.tensors.at("features.1.conv.0.0.weight").shape(), (Shape{8, 1, 3, 3}));
  EXPECT_EQ(checkpoint.tensors.at("classifier.1.weight").shape(), (Shape{4, 24}));
}

TEST(Load, RestoresEveryTensor) {
  for (const bool folded : {false, true}) {
    MobileNetV2 from(kSmall);
    MobileNetV2 to(kSmall);
    test::randomize(from, 1);
    if (folded) {
      nn::fold_batch_norm(from);
    }
    models::load(to, models::to_checkpoint(from), "memory");
    const nn::StateDict want = nn::state_dict(from);
    const nn::StateDict got = nn::state_dict(to);
    ASSERT_EQ(got.size(), want.size());
    for (const auto& [name, tensor] : want) {
      EXPECT_TRUE(test::same_bits(got.at(name), tensor)) << name;
    }
  }
}

// "name is [..] for [..]", for each tensor of `net` with another shape in `other`.
std::string misshapen(MobileNetV2& net, MobileNetV2& other) {
  const nn::StateDict theirs = nn::state_dict(other);
  std::string list;
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    const Shape& shape = theirs.at(tensor.name).shape();
    if (shape != tensor.value->shape()) {
      list += text(list.empty() ? "" : ", ", tensor.name, " is ", shape, " for ",
                   tensor.value->shape());
    }
  }
  return list;
}

TEST(Load, RefusesWeightsOfAnotherWidthAndChangesNothing) {
  const test::Folder folder;
  const auto path = folder / "wide.safetensors";
  MobileNetV2 wide({.classes = 4, .width = 0.35f});
  models::save(wide, {}, path);
  MobileNetV2 net({.classes = 4, .width = 0.1f});
  test::randomize(net, 1);
  const Tensor x = test::random_tensor({1, 32, 32, 3}, 2);
  const Tensor before = net(x);
  test::expect_error([&] { models::load(net, path); },
                     text("load: ", path.string(),
                          ": tensors must be those of a MobileNetV2 of width 0.1 with 4 classes: "
                          "misshapen ",
                          misshapen(net, wide)));
  nn::fold_batch_norm(wide);
  EXPECT_THROW(models::load(net, models::to_checkpoint(wide), "memory"), Error);
  EXPECT_TRUE(test::same_bits(net(x), before));
  EXPECT_TRUE(net.stem().norm()) << "the network was folded";
}

TEST(Load, ListsMissingAndExtraNames) {
  MobileNetV2 net(kSmall);
  Checkpoint checkpoint = models::to_checkpoint(net);
  checkpoint.tensors.erase("features.18.1.bias");
  checkpoint.tensors.erase("features.2.conv.3.weight");
  checkpoint.tensors.emplace("head.weight", Tensor::zeros({1}));
  checkpoint.tensors["classifier.1.bias"] = Tensor::zeros({5});
  test::expect_error([&] { models::load(net, checkpoint, "some.file"); },
                     "load: some.file: tensors must be those of a MobileNetV2 of width 0.1 with 4 "
                     "classes: missing features.2.conv.3.weight, features.18.1.bias; extra "
                     "head.weight; misshapen classifier.1.bias is [5] for [4]");
}

TEST(Load, RefusesAnEmptyTensorOfManyMatricesAtOnce) {
  MobileNetV2 net(kSmall);
  Checkpoint checkpoint = models::to_checkpoint(net);
  checkpoint.tensors.emplace("head.weight", Tensor::zeros({std::size_t{1} << 60, 0, 1, 1}));
  test::expect_error([&] { models::load(net, checkpoint, "some.file"); },
                     "load: some.file: tensors must be those of a MobileNetV2 of width 0.1 with 4 "
                     "classes: extra head.weight");
}

TEST(Load, StoresWhatDescribesTheNetwork) {
  MobileNetV2 net({.classes = 4,
                   .width = 0.35f,
                   .padding = nn::PaddingMode::same,
                   .epsilon = 1e-3f,
                   .round_to = 4});
  const data::Metadata separate = {
      {"arch", "mobilenet_v2"}, {"width_mult", "0.35"}, {"round_to", "4"},    {"stride", "32"},
      {"num_classes", "4"},     {"padding", "same_tf"}, {"epsilon", "0.001"}, {"bn", "separate"}};
  EXPECT_EQ(models::to_checkpoint(net).metadata, separate);
  nn::fold_batch_norm(net);
  EXPECT_EQ(models::to_checkpoint(net).metadata.at("bn"), "folded");
}

}  // namespace
}  // namespace lamina

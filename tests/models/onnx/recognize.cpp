#include "models/checkpoint/recognize.h"

#include <gtest/gtest.h>

#include "models/checkpoint/onnx.h"
#include "models/load.h"
#include "tests/support/npy.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Networks that PyTorch exported, found again as MobileNetV2.
namespace lamina {
namespace {

models::Recognized recognized(const std::filesystem::path& path) {
  models::Recognition recognition = models::recognize(models::read_onnx(path).graph);
  EXPECT_TRUE(recognition.network) << path << ": " << recognition.difference;
  return recognition.network.value_or(models::Recognized());
}

TEST(RecognizeOnnx, ImageNetNetworksAreTheSafetensorsModel) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "imagenet";
  const models::Checkpoint want =
      models::read_checkpoint(folder / "mobilenet_v2_1.0_224_tf.safetensors");
  for (const char* name :
       {"mobilenet_v2_1.0_224_tf.onnx", "mobilenet_v2_1.0_224_tf_rawtorch.onnx"}) {
    const models::Recognized got = recognized(folder / name);
    EXPECT_EQ(got.options.width, 1.0f);
    EXPECT_EQ(got.options.classes, 1000u);
    EXPECT_EQ(got.options.padding, nn::PaddingMode::same);
    EXPECT_EQ(got.norm, models::NormState::folded);
    EXPECT_FALSE(got.ends_with_softmax);
    ASSERT_EQ(got.checkpoint.tensors.size(), want.tensors.size());
    for (const auto& [tensor, values] : want.tensors) {
      EXPECT_TRUE(test::same_bits(got.checkpoint.tensors.at(tensor), values)) << tensor;
    }
  }
}

TEST(RecognizeOnnx, SmallNetworksHaveTheirOptions) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "checkpoints";
  for (const models::NormState norm : {models::NormState::folded, models::NormState::separate}) {
    const bool is_folded = norm == models::NormState::folded;
    const models::Recognized got =
        recognized(folder / (is_folded ? "mnv2_035_perturbed_bnfused.onnx"
                                       : "mnv2_035_perturbed_bnkept.onnx"));
    EXPECT_EQ(got.norm, norm);
    EXPECT_EQ(got.options.width, 0.35f);
    EXPECT_EQ(got.options.classes, 10u);
    EXPECT_EQ(got.options.padding, nn::PaddingMode::symmetric);
    EXPECT_EQ(got.options.epsilon, 1e-5f);
  }
}

}  // namespace
}  // namespace lamina

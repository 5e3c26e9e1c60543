#include <gtest/gtest.h>

#include "core/error.h"
#include "data/image.h"
#include "data/preprocessing.h"
#include "models/checkpoint/onnx.h"
#include "models/load.h"
#include "nn/plan.h"
#include "tests/fuzz/heap.h"
#include "tests/support/folder.h"
#include "tests/support/npy.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Whole networks from ONNX files against the logits that PyTorch gave, and the same network as
// safetensors.
namespace lamina {
namespace {

constexpr std::size_t kPhotos = 16;
constexpr std::size_t kClasses = 1000;

Tensor nhwc(const std::vector<double>& values, const Shape& nchw) {
  const std::size_t channels = nchw[1];
  const std::size_t pixels = nchw[2] * nchw[3];
  Tensor x = Tensor::uninitialized({nchw[0], nchw[2], nchw[3], channels});
  float* to = x.data();
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t image = i / channels / pixels;
    const std::size_t pixel = i / channels % pixels;
    to[i] = static_cast<float>(values[(image * channels + i % channels) * pixels + pixel]);
  }
  return x;
}

class OnnxNetwork : public testing::TestWithParam<const char*> {};

TEST_P(OnnxNetwork, GivesTheLogitsOfImageNetPhotos) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "imagenet";
  const models::GraphFile file = models::read_onnx(folder / GetParam());
  EXPECT_EQ(file.container, "ONNX (opset 13)");
  EXPECT_TRUE(file.remarks.empty());
  const nn::Plan plan = nn::compile(file.graph);
  const test::NpyArray input = test::read_npy(folder / "photos16_input_f32.npy");
  const Tensor got = plan(nhwc(input.values, {kPhotos, 3, 224, 224}));
  EXPECT_EQ(got.shape(), Shape({kPhotos, kClasses}));
  test::expect_near(got, test::read_npy(folder / "photos16_logits_f64.npy").values, 2e-4);
}

// The graphs are the same, so their plans are: the photos need not be decoded for that.
TEST_P(OnnxNetwork, EqualsTheSafetensorsModel) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "imagenet";
  const models::Classifier classifier =
      models::read_classifier(folder / "mobilenet_v2_1.0_224_tf.safetensors");
  const nn::Plan want = nn::compile(nn::trace(*classifier.net, classifier.input_shape()));
  const nn::Plan got = nn::compile(models::read_onnx(folder / GetParam()).graph);
  EXPECT_EQ(got.memory().total(), want.memory().total());
  const Tensor x = test::random_tensor({4, 224, 224, 3}, 1);
  EXPECT_TRUE(test::same_bits(got(x), want(x)));
}

// Beside the file's bytes: the messages with the weights in them, which leave as the graph's come.
TEST_P(OnnxNetwork, IsReadInTheMemoryOfFileAndWeights) {
  LAMINA_NEEDS_SHARED_DATA();
  const std::string file = test::read_file(test::shared_data() / "imagenet" / GetParam());
  const std::vector<std::uint8_t> bytes(file.begin(), file.end());
  const fuzz::HeapMeter meter;
  models::parse_onnx(bytes, GetParam());
  EXPECT_LE(meter.peak(), bytes.size() * 3 / 2);
}

INSTANTIATE_TEST_SUITE_P(ImageNet, OnnxNetwork,
                         testing::Values("mobilenet_v2_1.0_224_tf.onnx",
                                         "mobilenet_v2_1.0_224_tf_rawtorch.onnx"),
                         [](const auto& one) { return one.index == 0 ? "cleaned" : "rawtorch"; });

TEST(OnnxNetworks, ClassifyTheHundredPhotosAsTheSafetensorsModel) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "imagenet";
  const models::Classifier classifier =
      models::read_classifier(folder / "mobilenet_v2_1.0_224_tf.safetensors");
  const nn::Plan want = nn::compile(nn::trace(*classifier.net, classifier.input_shape()));
  const nn::Plan cleaned =
      nn::compile(models::read_onnx(folder / "mobilenet_v2_1.0_224_tf.onnx").graph);
  const nn::Plan raw =
      nn::compile(models::read_onnx(folder / "mobilenet_v2_1.0_224_tf_rawtorch.onnx").graph);
  std::size_t photos = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "photos")) {
    const Tensor x = data::preprocess(data::read_image(entry.path()), classifier.preprocessing);
    const std::vector<double> logits = test::doubles(want(x));
    test::expect_near(cleaned(x), logits, 2e-4);
    test::expect_near(raw(x), logits, 2e-4);
    ++photos;
  }
  EXPECT_EQ(photos, 100u);
}

TEST(OnnxNetworks, BatchNormFusedAndKept) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data();
  const models::Checkpoint batch =
      models::read_checkpoint(folder / "training/train_mnv2_035_batch.safetensors");
  const Tensor& input = batch.tensors.at("input");
  const Tensor x = nhwc(test::doubles(input), input.shape());
  const test::NpyArray want =
      test::read_npy(folder / "training/mnv2_035_perturbed_eval_logits_f32.npy");
  for (const char* name : {"bnfused", "bnkept"}) {
    const models::GraphFile file =
        models::read_onnx(folder / text("checkpoints/mnv2_035_perturbed_", name, ".onnx"));
    test::expect_near(nn::compile(file.graph)(x), want.values, 1e-4);
  }
}

}  // namespace
}  // namespace lamina

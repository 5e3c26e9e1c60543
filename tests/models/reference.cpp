#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "models/load.h"
#include "nn/isa.h"
#include "nn/plan.h"
#include "tests/models/support.h"
#include "tests/support/npy.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// The whole network against PyTorch in float64.
namespace lamina {
namespace {

using nlohmann::json;

constexpr std::size_t kPhotos = 16;
constexpr std::size_t kClasses = 1000;

Tensor nchw_to_nhwc(const Shape& shape, const auto& values) {
  const std::size_t channels = shape[1];
  const std::size_t pixels = shape[2] * shape[3];
  Tensor x = Tensor::uninitialized({shape[0], shape[2], shape[3], channels});
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t image = i / channels / pixels;
    const std::size_t pixel = i / channels % pixels;
    x.data()[i] = static_cast<float>(values[(image * channels + i % channels) * pixels + pixel]);
  }
  return x;
}

Tensor image_of(const Tensor& x, std::size_t image) {
  const Shape& s = x.shape();
  const std::size_t floats = s[1] * s[2] * s[3];
  return Tensor::from({1, s[1], s[2], s[3]}, x.values().subspan(image * floats, floats));
}

class Reference : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const auto folder = test::shared_data() / "imagenet";
    if (!std::filesystem::is_directory(folder)) {
      return;
    }
    classifier_ = std::make_unique<models::Classifier>(
        models::read_classifier(folder / "mobilenet_v2_1.0_224_tf.safetensors"));
    const test::NpyArray input = test::read_npy(folder / "photos16_input_f32.npy");
    input_ = nchw_to_nhwc({kPhotos, 3, 224, 224}, input.values);
    logits_ = test::read_npy(folder / "photos16_logits_f64.npy").values;
  }
  static void TearDownTestSuite() { classifier_.reset(); }

  static const models::MobileNetV2& net() { return *classifier_->net; }

  static std::vector<double> logits(std::size_t image) {
    const auto begin = logits_.begin() + static_cast<std::ptrdiff_t>(image * kClasses);
    return {begin, begin + static_cast<std::ptrdiff_t>(kClasses)};
  }

  inline static std::unique_ptr<models::Classifier> classifier_;
  inline static Tensor input_;
  inline static std::vector<double> logits_;
};

TEST_F(Reference, MetadataIsRead) {
  LAMINA_NEEDS_SHARED_DATA();
  const data::Preprocessing want{.resize = 256,
                                 .crop = 224,
                                 .filter = data::Filter::bilinear,
                                 .mean = {0.5f, 0.5f, 0.5f},
                                 .std = {0.5f, 0.5f, 0.5f}};
  EXPECT_EQ(classifier_->preprocessing, want);
  EXPECT_EQ(net().options().padding, nn::PaddingMode::same);
  EXPECT_EQ(classifier_->labels.size(), kClasses);
  EXPECT_EQ(classifier_->assumptions,
            std::vector<std::string>{"The classes are taken to be ImageNet's."});
}

TEST_F(Reference, PlansGiveTheLogitsUnderEveryInstructionSet) {
  LAMINA_NEEDS_SHARED_DATA();
  for (const std::string& isa : nn::available_isas()) {
    if (isa == "reference") {
      continue;  // tests/nn/plan.cpp has it on small networks
    }
    const test::ScopedIsa scoped(isa);
    const nn::Plan plan = nn::compile(nn::trace(*classifier_->net, {1, 224, 224, 3}));
    for (const std::size_t threads : {1u, 2u}) {
      const test::ScopedThreads before(threads);
      const Tensor got = plan(input_);
      for (std::size_t image = 0; image < kPhotos; ++image) {
        SCOPED_TRACE(text(isa, " image ", image, " threads ", threads));
        test::expect_near(
            Tensor::from({1, kClasses}, got.values().subspan(image * kClasses, kClasses)),
            logits(image), 2e-4);
      }
    }
  }
}

// The reference kernels take a second an image: one photo.
TEST_F(Reference, LogitsUnderEveryInstructionSet) {
  LAMINA_NEEDS_SHARED_DATA();
  for (const std::string& isa : nn::available_isas()) {
    SCOPED_TRACE(isa);
    const test::ScopedIsa scoped(isa);
    test::expect_near(net()(image_of(input_, 0)), logits(0), 2e-4);
    if (isa != "reference") {
      test::expect_near(net()(input_), logits_, 2e-4);
    }
  }
}

TEST_F(Reference, SameBitsForAnyThreadsAndBatch) {
  LAMINA_NEEDS_SHARED_DATA();
  for (const std::string& isa : nn::available_isas()) {
    if (isa == "reference") {
      continue;
    }
    SCOPED_TRACE(isa);
    const test::ScopedIsa scoped(isa);
    const test::ScopedThreads one(1);
    const Tensor want = net()(input_);
    for (std::size_t threads = 2; threads <= 4; ++threads) {
      const test::ScopedThreads many(threads);
      EXPECT_TRUE(test::same_bits(net()(input_), want)) << threads << " threads";
    }
    for (std::size_t image = 0; image < kPhotos; ++image) {
      const Tensor row =
          Tensor::from({1, kClasses}, want.values().subspan(image * kClasses, kClasses));
      EXPECT_TRUE(test::same_bits(net()(image_of(input_, image)), row)) << "photo " << image;
    }
  }
}

// The result of every layer, by the name that the reference uses.
std::map<std::string, Tensor> run_layers(const models::MobileNetV2& net, const Tensor& x) {
  std::map<std::string, Tensor> results;
  Tensor y = results["features.0.0"] = net.stem()(x);
  for (std::size_t i = 0; i < net.blocks().size(); ++i) {
    const std::string name = "features." + std::to_string(i + 1);
    const models::InvertedResidual& block = *net.blocks()[i];
    const Tensor input = y;
    for (const auto& [part, layer] : block.parts()) {
      y = results[name + '.' + part] = layer->forward(y);
    }
    if (block.has_residual()) {
      y = results[name + "#add"] = nn::add(input, y);
    }
  }
  y = results["features.18.0"] = net.last()(y);
  results["pool"] = nn::global_average_pool(y);
  return results;
}

float at_nchw(const Tensor& y, std::size_t index) {
  if (y.shape().rank() == 2) {
    return y.data()[index];
  }
  const std::size_t pixels = y.shape()[1] * y.shape()[2];
  return y.data()[index % pixels * y.shape()[3] + index / pixels];
}

void expect_layer(const Tensor& y, const json& want) {
  double sum = 0.0;
  double squares = 0.0;
  double largest = 0.0;
  for (const float value : y.values()) {
    sum += value;
    squares += static_cast<double>(value) * value;
    largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  const double scale = want["absmax"];
  const double l2 = want["l2"];
  const double rms = l2 / std::sqrt(static_cast<double>(y.size()));
  EXPECT_NEAR(sum / static_cast<double>(y.size()), want["mean"].get<double>(), 1e-4 * rms);
  EXPECT_NEAR(largest, scale, 1e-4 * scale);
  EXPECT_NEAR(std::sqrt(squares), l2, 1e-4 * l2);
  for (std::size_t i = 0; i < want["sample_value"].size(); ++i) {
    EXPECT_NEAR(at_nchw(y, want["sample_flat_index"][i]), want["sample_value"][i].get<double>(),
                1e-4 * scale);
  }
}

TEST_F(Reference, EveryLayer) {
  LAMINA_NEEDS_SHARED_DATA();
  std::ifstream file(test::shared_data() / "imagenet/layer_stats_photo0.json");
  const json stats = json::parse(file);
  for (const std::string& isa : nn::available_isas()) {
    const test::ScopedIsa scoped(isa);
    const auto results = run_layers(net(), image_of(input_, 0));
    ASSERT_EQ(stats["layers"].size(), results.size());
    for (const json& layer : stats["layers"]) {
      SCOPED_TRACE(isa + ' ' + layer["name"].get<std::string>());
      expect_layer(results.at(layer["name"]), layer);
    }
  }
}

TEST(ReferenceState, PerturbedNetworkSeparateAndFolded) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data() / "training";
  const auto classifier =
      models::read_classifier(folder / "mnv2_035_perturbed_state_f32.safetensors");
  models::MobileNetV2& net = *classifier.net;
  EXPECT_EQ(net.options().width, 0.35f);
  const models::Checkpoint batch =
      models::read_checkpoint(folder / "train_mnv2_035_batch.safetensors");
  EXPECT_EQ(batch.tensors.size(), 1u) << "the labels are integers";
  const Tensor& input = batch.tensors.at("input");
  const Tensor x = nchw_to_nhwc(input.shape(), input.values());
  const test::NpyArray want = test::read_npy(folder / "mnv2_035_perturbed_eval_logits_f32.npy");
  for (const std::string& isa : nn::available_isas()) {
    const test::ScopedIsa scoped(isa);
    test::expect_near(net(x), want.values, 1e-4);
  }
  nn::fold_batch_norm(net);
  for (const std::string& isa : nn::available_isas()) {
    const test::ScopedIsa scoped(isa);
    test::expect_near(net(x), want.values, 1e-4);
  }
}

// The same network in every container and naming.
TEST(ReferenceState, PerturbedNetworkInEveryFile) {
  LAMINA_NEEDS_SHARED_DATA();
  const auto folder = test::shared_data();
  const models::Checkpoint batch =
      models::read_checkpoint(folder / "training/train_mnv2_035_batch.safetensors");
  const Tensor& input = batch.tensors.at("input");
  const Tensor x = nchw_to_nhwc(input.shape(), input.values());
  const test::NpyArray want =
      test::read_npy(folder / "training/mnv2_035_perturbed_eval_logits_f32.npy");
  for (const char* file :
       {"mnv2_035_state_zip.pth", "mnv2_035_state_legacy.pth", "mnv2_035_mmcls_zip.pth",
        "mnv2_035_mmcls_legacy.pth", "mnv2_035_mmcls_with_optimizer_zip.pth"}) {
    SCOPED_TRACE(file);
    const auto classifier = models::read_classifier(folder / "checkpoints" / file);
    EXPECT_EQ(classifier.net->options().width, 0.35f);
    EXPECT_EQ(classifier.labels.size(), 10u);
    test::expect_near((*classifier.net)(x), want.values, 1e-4);
  }
}

}  // namespace
}  // namespace lamina

#include "nn/plan.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/parallel.h"
#include "models/load.h"
#include "tests/models/support.h"
#include "tests/support/folder.h"
#include "tests/support/shared_data.h"
#include "tests/support/tensors.h"

// Compiled networks against their eager forward pass; tests/models/reference.cpp has the real one.
namespace lamina {
namespace {

double relative_difference(const Tensor& got, const Tensor& want) {
  EXPECT_EQ(got.shape(), want.shape());
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::abs(double{want.data()[i]}));
    difference = std::max(difference, std::abs(double{got.data()[i]} - double{want.data()[i]}));
  }
  return difference / largest;
}

struct Case {
  float width;
  std::size_t resolution;
  nn::PaddingMode padding;
};

std::string case_name(const testing::TestParamInfo<Case>& one) {
  const auto& [width, resolution, padding] = one.param;
  return text("w", std::lround(100 * width), "r", resolution,
              padding == nn::PaddingMode::same ? "same" : "symmetric");
}

class PlanOfWidths : public testing::TestWithParam<Case> {};

TEST_P(PlanOfWidths, EqualsTheEagerForwardPass) {
  const auto& [width, resolution, padding] = GetParam();
  models::MobileNetV2 net({.classes = 10, .width = width, .padding = padding});
  test::randomize(net, 3);
  const Tensor x = test::random_tensor({2, resolution, resolution, 3}, 1);
  const Tensor want = net(x);
  const nn::Graph graph = nn::trace(net, x.shape());
  for (const nn::Fusion fusion : {nn::Fusion::automatic, nn::Fusion::never, nn::Fusion::always}) {
    const nn::Plan plan = nn::compile(graph, {.fusion = fusion});
    EXPECT_LE(relative_difference(plan(x), want), 2e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, PlanOfWidths,
                         testing::Values(Case{0.35f, 96, nn::PaddingMode::symmetric},
                                         Case{0.35f, 97, nn::PaddingMode::same},
                                         Case{0.5f, 131, nn::PaddingMode::symmetric},
                                         Case{0.75f, 131, nn::PaddingMode::same},
                                         Case{0.75f, 160, nn::PaddingMode::symmetric},
                                         Case{1.0f, 97, nn::PaddingMode::symmetric},
                                         Case{1.0f, 224, nn::PaddingMode::same},
                                         Case{1.4f, 224, nn::PaddingMode::symmetric},
                                         Case{1.4f, 320, nn::PaddingMode::same}),
                         case_name);

TEST(PlanOfMobileNetV2, TakesAnyBatchOnAnyThreads) {
  models::MobileNetV2 net({.classes = 10, .width = 0.5f, .padding = nn::PaddingMode::same});
  test::randomize(net, 3);
  const nn::Plan plan = nn::compile(nn::trace(net, {1, 97, 97, 3}));
  for (const std::size_t batch : {1u, 2u, 3u, 7u, 32u}) {
    const Tensor x = test::random_tensor({batch, 97, 97, 3}, batch);
    const test::ScopedThreads before(1);
    const Tensor want = plan(x);
    EXPECT_LE(relative_difference(want, net(x)), 2e-5) << "batch " << batch;
    for (const std::size_t threads : {2u, 3u, 8u}) {
      set_thread_count(threads);
      EXPECT_TRUE(test::same_bits(plan(x), want)) << "batch " << batch << ", threads " << threads;
    }
  }
}

TEST_P(PlanOfWidths, FromAFileHasTheSameBits) {
  const auto& [width, resolution, padding] = GetParam();
  models::MobileNetV2 net({.classes = 10, .width = width, .padding = padding});
  test::randomize(net, 3);
  const Tensor x = test::random_tensor({2, resolution, resolution, 3}, 1);
  const nn::Plan plan = nn::compile(nn::trace(net, x.shape()));
  const test::Folder folder;
  plan.save(folder / "net.plan");
  EXPECT_TRUE(test::same_bits(nn::load_plan(folder / "net.plan")(x), plan(x)));
}

TEST(PlanOfMobileNetV2, WithRealWeightsFromAFileHasTheSameBits) {
  LAMINA_NEEDS_SHARED_DATA();
  const models::Classifier classifier =
      models::read_classifier(test::shared_data() / "imagenet/mobilenet_v2_1.0_224_tf.safetensors");
  const Tensor x = test::random_tensor(classifier.input_shape(), 1);
  const nn::Plan plan = nn::compile(nn::trace(*classifier.net, x.shape()));
  const test::Folder folder;
  plan.save(folder / "net.plan");
  EXPECT_TRUE(test::same_bits(nn::load_plan(folder / "net.plan")(x), plan(x)));
}

// Section 5.1 of the paper: 6.02 MB with each operation on its own, 2.41 MB with whole blocks.
TEST(PlanOfMobileNetV2, ArenaStaysSmall) {
  models::MobileNetV2 net;
  const nn::Graph graph = nn::trace(net, {1, 224, 224, 3});
  EXPECT_EQ(nn::compile(graph, {.fusion = nn::Fusion::never}).memory().arena, 112u * 112 * 120 * 4);
  EXPECT_LE(nn::compile(graph).memory().arena, 2'500'000u);
}

}  // namespace
}  // namespace lamina

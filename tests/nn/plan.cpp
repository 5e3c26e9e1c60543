#include "nn/plan.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "core/random.h"
#include "nn/isa.h"
#include "nn/plan/arena.h"
#include "tests/nn/every_operation.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

class PlanTest : public testing::Test {
 protected:
  PlanTest() : net_(nn::PaddingMode::symmetric) { test::randomize(net_); }

  test::EveryOperation net_;
};

double largest_difference(const Tensor& a, const Tensor& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double largest = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const double difference = std::abs(double{a.data()[i]} - double{b.data()[i]});
    largest = std::isnan(difference) ? difference : std::max(largest, difference);
  }
  return largest;
}

TEST_F(PlanTest, TraceRecordsEachOperationWithItsNameAndShape) {
  const nn::Graph graph = nn::trace(net_, {2, 20, 24, 3});
  std::vector<std::string> names;
  for (const nn::Node& node : graph.nodes) {
    names.push_back(node.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{
                       "input",      "stem.0",   "stem.1",   "filter.0",  "filter.1",  "project.0",
                       "project.1",  "expand.0", "expand.1", "filter2.0", "filter2.1", "project2.0",
                       "project2.1", "grouped",  "dilated",  "add",       "wide",      "add",
                       "norm",       "add",      "clamp",    "pool",      "linear",    "softmax"}));
  EXPECT_EQ(graph.nodes[1].shape, (Shape{2, 10, 12, 12}));
  EXPECT_EQ(graph.nodes[graph.output].shape, (Shape{2, 5}));
  EXPECT_EQ(graph.output + 1, graph.nodes.size());
}

TEST_F(PlanTest, EqualsTheEagerForwardPassWhateverIsFused) {
  for (const auto padding : {nn::PaddingMode::symmetric, nn::PaddingMode::same}) {
    test::EveryOperation net(padding);
    test::randomize(net);
    for (const std::string& isa : nn::available_isas()) {
      const test::ScopedIsa scoped(isa);
      for (const std::size_t size : {17u, 20u, 33u}) {
        const Tensor x = test::random_tensor({3, size, size + 5, 3}, size);
        const Tensor want = net(x);
        for (const nn::Fusion fusion :
             {nn::Fusion::automatic, nn::Fusion::never, nn::Fusion::always}) {
          const nn::Plan plan = nn::compile(nn::trace(net, x.shape()), {.fusion = fusion});
          EXPECT_LE(largest_difference(plan(x), want), 2e-6) << isa << " size " << size;
        }
      }
    }
  }
}

TEST_F(PlanTest, FoldingChangesNothingThatIsMeasurable) {
  const Tensor x = test::random_tensor({1, 20, 24, 3}, 4);
  const Tensor unfolded = nn::compile(nn::trace(net_, x.shape()))(x);
  nn::fold_batch_norm(net_);
  EXPECT_LE(largest_difference(nn::compile(nn::trace(net_, x.shape()))(x), unfolded), 2e-6);
}

TEST_F(PlanTest, HasTheSameBitsForAnyThreadsAndAnyBatch) {
  const Tensor x = test::random_tensor({7, 37, 41, 3}, 5);
  const nn::Plan plan = nn::compile(nn::trace(net_, x.shape()), {.fusion = nn::Fusion::always});
  const test::ScopedThreads before(1);
  const Tensor want = plan(x);
  for (std::size_t threads = 1; threads <= 8; ++threads) {
    set_thread_count(threads);
    EXPECT_TRUE(test::same_bits(plan(x), want)) << threads << " threads";
    for (std::size_t image = 0; image < 7; ++image) {
      const std::size_t floats = x.size() / 7;
      const Tensor one = Tensor::from({1, 37, 41, 3}, x.values().subspan(image * floats, floats));
      const Tensor want_one = Tensor::from({1, 5}, want.values().subspan(image * 5, 5));
      EXPECT_TRUE(test::same_bits(plan(one), want_one)) << threads << " threads, image " << image;
    }
  }
}

TEST_F(PlanTest, RunsFromSeveralThreadsAtOnce) {
  const Tensor x = test::random_tensor({2, 33, 33, 3}, 6);
  const nn::Plan plan = nn::compile(nn::trace(net_, x.shape()));
  const Tensor want = plan(x);
  std::vector<Tensor> got(4);
  std::vector<std::thread> callers;
  for (Tensor& result : got) {
    callers.emplace_back([&] {
      nn::Workspace workspace = plan.workspace(2);
      result = Tensor::zeros({2, 5});
      for (int i = 0; i < 50; ++i) {
        plan.run(x.values(), result.values(), workspace);
      }
    });
  }
  std::ranges::for_each(callers, [](std::thread& caller) { caller.join(); });
  for (const Tensor& result : got) {
    EXPECT_TRUE(test::same_bits(result, want));
  }
}

TEST_F(PlanTest, KeepsNoWeightsOfTheModule) {
  const Tensor x = test::random_tensor({1, 20, 20, 3}, 7);
  const nn::Plan plan = nn::compile(nn::trace(net_, x.shape()));
  const Tensor want = plan(x);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net_)) {
    std::ranges::fill(tensor.value->values(), 0.0f);
  }
  EXPECT_TRUE(test::same_bits(plan(x), want));
}

TEST_F(PlanTest, FusionSavesArena) {
  const nn::Graph graph = nn::trace(net_, {1, 64, 64, 3});
  const auto always = nn::compile(graph, {.fusion = nn::Fusion::always}).memory();
  const auto never = nn::compile(graph, {.fusion = nn::Fusion::never}).memory();
  EXPECT_LT(2 * always.arena, never.arena);
  EXPECT_EQ(always.total(), always.weights + always.arena + always.scratch);
}

TEST_F(PlanTest, KeepsToMaxMemoryOrSaysWhatItNeeds) {
  const nn::Graph graph = nn::trace(net_, {1, 64, 64, 3});
  const std::size_t roomy = nn::compile(graph, {.fusion = nn::Fusion::never}).memory().total();
  const nn::Plan thin = nn::compile(graph, {.fusion = nn::Fusion::never, .max_memory = roomy - 1});
  const std::size_t least = thin.memory().total();
  EXPECT_LT(least, roomy);
  const Tensor x = test::random_tensor({1, 64, 64, 3}, 8);
  EXPECT_LE(largest_difference(thin(x), net_(x)), 2e-6);
  test::expect_error([&] { nn::compile(graph, {.max_memory = least - 1}); },
                     text("compile: the plan must fit in max_memory: it needs ", least,
                          " bytes at least, max_memory is ", least - 1));
}

TEST_F(PlanTest, DescribesEachStep) {
  const nn::Plan plan =
      nn::compile(nn::trace(net_, {1, 64, 64, 3}), {.fusion = nn::Fusion::always});
  const std::string description = plan.describe();
  EXPECT_NE(description.find("stem.0 + filter.0 + project.0"), std::string::npos) << description;
  EXPECT_NE(description.find("8 > 24 > 8 at 32x32 stride 2"), std::string::npos) << description;
}

// A 1x1 convolution that leaves pixels out, or adds a frame of them, is no product of whole rows.
TEST(PlanOfBlocks, FirstConvolutionMayHaveAStrideOrPadding) {
  struct Block : nn::Module {
    Tensor forward(const Tensor& x) const override {
      const Tensor hidden = nn::conv2d(x, first, {}, options);
      const Tensor filtered =
          nn::conv2d(hidden, filter, {}, {.padding = nn::Padding::symmetric(1), .groups = 6});
      return nn::conv2d(filtered, project, {}, {});
    }
    void members(nn::Members&) override {}
    Tensor first = test::random_tensor({6, 1, 1, 4}, 1);
    Tensor filter = test::random_tensor({6, 3, 3, 1}, 2);
    Tensor project = test::random_tensor({5, 1, 1, 6}, 3);
    nn::Conv2dOptions options;
  } block;
  const Tensor x = test::random_tensor({1, 9, 11, 4}, 4);
  for (const nn::Conv2dOptions& options :
       {nn::Conv2dOptions{.stride = 2}, nn::Conv2dOptions{.padding = nn::Padding::symmetric(1)},
        nn::Conv2dOptions{.stride = {1, 2}, .padding = {.right = 1}}}) {
    block.options = options;
    const nn::Plan plan = nn::compile(nn::trace(block, x.shape()), {.fusion = nn::Fusion::always});
    EXPECT_LE(largest_difference(plan(x), block(x)), 2e-6);
  }
}

TEST_F(PlanTest, RefusesOtherShapes) {
  const nn::Plan plan = nn::compile(nn::trace(net_, {2, 20, 20, 3}));
  EXPECT_EQ(plan(Tensor::zeros({5, 20, 20, 3})).shape(), (Shape{5, 5}));
  EXPECT_EQ(plan(Tensor::zeros({0, 20, 20, 3})).shape(), (Shape{0, 5}));
  test::expect_error(
      [&] {
        plan(Tensor::zeros({1, 20, 21, 3}));
      },
      "plan: the input must have the shape that was compiled, for any number of "
      "images: got [1, 20, 21, 3], compiled was [2, 20, 20, 3]");
  nn::Workspace workspace = plan.workspace(1);
  std::vector<float> x(1200 * 2), y(5);
  test::expect_error([&] { plan.run(x, y, workspace); },
                     "run: input and output must hold as many images: input has 2400 values, 1200 "
                     "an image; output has 5, 5 an image");
  test::expect_error([&] { plan.workspace(0); },
                     "workspace: threads must be from 1 to 1024: got 0");
}

TEST_F(PlanTest, RefusesTheWorkspaceOfAnotherPlan) {
  const nn::Plan plan = nn::compile(nn::trace(net_, {1, 20, 20, 3}));
  const nn::Plan other = nn::compile(nn::trace(net_, {1, 32, 32, 3}));
  nn::Workspace workspace = other.workspace(1);
  std::vector<float> x(1200), y(5);
  test::expect_error([&] { plan.run(x, y, workspace); },
                     "run: the workspace must be this plan's own, and not moved from");
}

TEST(Trace, RefusesToReadValues) {
  struct Reads : nn::Module {
    Tensor forward(const Tensor& x) const override { return x.clone(); }
    void members(nn::Members&) override {}
  } module;
  test::expect_error(
      [&] {
        nn::trace(module, {1, 2, 2, 3});
      },
      "tensor: [1, 2, 2, 3] has no values while a computation is recorded");
}

TEST(Trace, RefusesTensorsFromElsewhere) {
  struct AddsOnes : nn::Module {
    Tensor forward(const Tensor& x) const override {
      return nn::add(x, Tensor::full(x.shape(), 1.0f));
    }
    void members(nn::Members&) override {}
  } module;
  test::expect_error(
      [&] {
        nn::trace(module, {1, 2, 2, 3});
      },
      "trace: an operation takes a tensor [1, 2, 2, 3] that was not made from the "
      "input");
  // And records nothing afterwards.
  EXPECT_EQ(nn::relu6(Tensor::full({1}, 9.0f)).data()[0], 6.0f);
}

// Lifetimes at random: whatever is alive together lies apart, and nothing lies beyond the total.
TEST(Arena, KeepsLivingValuesApart) {
  Rng rng(11);
  for (int round = 0; round < 200; ++round) {
    std::vector<nn::Lifetime> lifetimes(1 + rng.below(20));
    for (nn::Lifetime& lifetime : lifetimes) {
      lifetime.floats = 1 + rng.below(1000);
      lifetime.first = rng.below(12);
      lifetime.last = lifetime.first + rng.below(6);
      lifetime.used = rng.below(5) > 0;
    }
    std::size_t total = 0;
    const std::vector<std::size_t> offsets = nn::plan_arena(lifetimes, total);
    for (std::size_t i = 0; i < lifetimes.size(); ++i) {
      if (!lifetimes[i].used) {
        continue;
      }
      EXPECT_EQ(offsets[i] % 16, 0u);
      EXPECT_LE(offsets[i] + lifetimes[i].floats, total);
      for (std::size_t j = 0; j < i; ++j) {
        const bool together = lifetimes[i].first <= lifetimes[j].last &&
                              lifetimes[j].first <= lifetimes[i].last && lifetimes[j].used;
        const bool apart = offsets[i] + lifetimes[i].floats <= offsets[j] ||
                           offsets[j] + lifetimes[j].floats <= offsets[i];
        EXPECT_TRUE(!together || apart);
      }
    }
  }
}

}  // namespace
}  // namespace lamina

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

#include "core/parallel.h"
#include "nn/isa.h"
#include "nn/plan.h"
#include "tests/nn/every_operation.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

class PlanFile : public testing::Test {
 protected:
  PlanFile() : net_(nn::PaddingMode::symmetric) { test::randomize(net_); }

  nn::Plan plan(const nn::CompileOptions& options = {}) {
    return nn::compile(nn::trace(net_, {2, 33, 29, 3}), options);
  }

  test::EveryOperation net_;
  test::Folder folder_;
  std::filesystem::path path_ = folder_ / "net.plan";
};

TEST_F(PlanFile, ALoadedPlanGivesTheSameBits) {
  const Tensor x = test::random_tensor({3, 33, 29, 3}, 1);
  for (const std::string& isa : nn::available_isas()) {
    const test::ScopedIsa scoped(isa);
    for (const nn::Fusion fusion : {nn::Fusion::automatic, nn::Fusion::never, nn::Fusion::always}) {
      const nn::Plan saved = plan({.fusion = fusion});
      saved.save(path_);
      const nn::Plan loaded = nn::load_plan(path_);
      for (const std::size_t threads : {1u, 3u}) {
        const test::ScopedThreads scoped_threads(threads);
        EXPECT_TRUE(test::same_bits(loaded(x), saved(x))) << isa << ' ' << threads << " threads";
      }
    }
  }
}

TEST_F(PlanFile, HoldsAllThatThePlanSays) {
  const nn::Plan saved = plan({.metadata = {{"labels", "a\nb"}, {"empty", ""}}});
  saved.save(path_);
  const nn::Plan loaded = nn::load_plan(path_);
  EXPECT_EQ(loaded.describe(), saved.describe());
  EXPECT_EQ(loaded.metadata(), saved.metadata());
  EXPECT_EQ(loaded.metadata().at("labels"), "a\nb");
  EXPECT_EQ(loaded.input_shape(), (Shape{2, 33, 29, 3}));
  EXPECT_EQ(loaded.output_shape(), (Shape{2, 5}));
  EXPECT_EQ(loaded.memory().weights, saved.memory().weights);
  EXPECT_EQ(loaded.memory().arena, saved.memory().arena);
  EXPECT_EQ(loaded.memory().scratch, saved.memory().scratch);
}

TEST_F(PlanFile, LoadingAndSavingGivesTheSameFile) {
  plan({.metadata = {{"key", "value"}}}).save(path_);
  const std::string bytes = test::read_file(path_);
  nn::load_plan(path_).save(path_);
  EXPECT_EQ(test::read_file(path_), bytes);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);
}

TEST_F(PlanFile, MayBeReplacedOrRemovedWhileItsPlanIsInUse) {
  const Tensor x = test::random_tensor({1, 33, 29, 3}, 2);
  const nn::Plan saved = plan();
  const Tensor want = saved(x);
  saved.save(path_);
  const nn::Plan loaded = nn::load_plan(path_);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net_)) {
    std::ranges::fill(tensor.value->values(), 0.5f);
  }
  plan().save(path_);
  EXPECT_FALSE(test::same_bits(nn::load_plan(path_)(x), want));
  std::filesystem::remove(path_);
  EXPECT_TRUE(test::same_bits(loaded(x), want));
}

TEST_F(PlanFile, RefusesAnotherInstructionSet) {
  const std::string best = nn::available_isas().front();
  {
    const test::ScopedIsa scoped("reference");
    plan().save(path_);
  }
  const test::ScopedIsa scoped(best);
  test::expect_error([&] { nn::load_plan(path_); },
                     text("load_plan: ", path_.string(),
                          ": must be for the instruction set in use: it is for reference, in use "
                          "is ",
                          best, ": use reference, or save it again for ", best));
}

TEST_F(PlanFile, RefusesWhatIsNoPlan) {
  const auto refused = [&](const std::string& why) {
    test::expect_error([&] { nn::load_plan(path_); },
                       text("load_plan: ", path_.string(), ": ", why));
  };
  refused("cannot be opened: No such file or directory");
  test::write_file(path_, "");
  refused("must be a plan: it has 0 bytes and does not begin as one");
  test::write_file(path_, std::string(5000, 'x'));
  refused("must be a plan: it has 5000 bytes and does not begin as one");
  path_ = folder_.path();
  refused("must be a regular file");
}

TEST_F(PlanFile, IsToldByItsFirstBytes) {
  EXPECT_FALSE(nn::begins_as_plan(path_));
  EXPECT_FALSE(nn::begins_as_plan(folder_.path()));
  plan().save(path_);
  EXPECT_TRUE(nn::begins_as_plan(path_));
  const std::string bytes = test::read_file(path_);
  test::write_file(path_, bytes.substr(0, 8));
  EXPECT_TRUE(nn::begins_as_plan(path_));
  test::write_file(path_, bytes.substr(0, 7));
  EXPECT_FALSE(nn::begins_as_plan(path_));
  test::write_file(path_, bytes.substr(1));
  EXPECT_FALSE(nn::begins_as_plan(path_));
}

TEST_F(PlanFile, SaysWhyItCannotBeWritten) {
  const std::filesystem::path path = folder_ / "none" / "net.plan";
  test::expect_error([&] { plan().save(path); },
                     text("save: ", path.string(), ": cannot be written: its folder ",
                          path.parent_path().string(), ": No such file or directory"));
}

}  // namespace
}  // namespace lamina

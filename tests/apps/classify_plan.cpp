// classify keeps compiled networks in files and runs them from there.
#include "core/error.h"
#include "nn/isa.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

class ClassifyPlan : public Classify {
 protected:
  std::string plan() const { return path("net.plan"); }
};

TEST_F(ClassifyPlan, APlanAnswersAsItsWeights) {
  const std::string picture = png("a.png");
  const Result want = classify({"--json", picture});
  const Result saved = classify({"--save-plan", plan()});
  EXPECT_EQ(saved.exit_code, 0);
  EXPECT_EQ(saved.out + saved.err, "");
  const Result got = run({.arguments = {"--plan", plan(), "--json", picture}});
  EXPECT_EQ(got.exit_code, 0);
  EXPECT_EQ(got.err, "");
  EXPECT_EQ(got.out, want.out);
}

TEST_F(ClassifyPlan, SavesAndClassifiesAtOnce) {
  const std::string picture = png("a.png");
  const Result result = classify({"--json", "--save-plan", plan(), picture});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, classify({"--json", picture}).out);
  EXPECT_TRUE(std::filesystem::exists(plan()));
}

TEST_F(ClassifyPlan, TakesThePlaceOfTheUsualWeights) {
  EXPECT_EQ(classify({"--save-plan", plan()}).exit_code, 0);
  const Result result = run({.arguments = {"--plan", plan(), png("a.png")},
                             .environment = {{"LAMINA_WEIGHTS", path("none.safetensors")}}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

TEST_F(ClassifyPlan, GoesWithoutWeights) {
  const std::string message =
      "classify: --plan: holds the weights: --weights and --save-plan do not go with it\n";
  const Result both = classify({"--plan", plan(), png("a.png")});
  EXPECT_EQ(both.exit_code, 2);
  EXPECT_EQ(both.err, message);
  const Result again = run({.arguments = {"--plan", plan(), "--save-plan", plan(), png("a.png")}});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_EQ(again.err, message);
}

TEST_F(ClassifyPlan, SaysWhatIsWrongWithThePlan) {
  const Result weights_as_plan = run({.arguments = {"--plan", weights(), png("a.png")}});
  EXPECT_EQ(weights_as_plan.exit_code, 1);
  EXPECT_EQ(weights_as_plan.err,
            text("classify: load_plan: ", weights(), ": must be a plan: it has ",
                 std::filesystem::file_size(weights()), " bytes and does not begin as one\n"));
  const Result elsewhere = classify({"--save-plan", path("none/net.plan")});
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_EQ(elsewhere.err, text("classify: save: ", path("none/net.plan"),
                                ": cannot be written: No such file or directory\n"));
}

TEST_F(ClassifyPlan, BelongsToAnInstructionSet) {
  const std::string best = nn::available_isas().front();
  EXPECT_EQ(classify({"--isa", "reference", "--save-plan", plan()}).exit_code, 0);
  const Result result = run({.arguments = {"--isa", best, "--plan", plan(), png("a.png")}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, text("classify: load_plan: ", plan(),
                             ": must be for the instruction set in use: it is for reference, in "
                             "use is ",
                             best, '\n'));
}

}  // namespace
}  // namespace lamina::test

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
  EXPECT_EQ(saved.out, "");
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
  const auto refused = [](const Result& result, const std::string& message) {
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "classify: " + message + '\n');
  };
  refused(classify({"--plan", plan(), png("a.png")}),
          "--weights: does not go with --plan: a plan already holds the weights");
  refused(run({.arguments = {"--plan", plan(), "--save-plan", plan(), png("a.png")}}),
          "--save-plan: does not go with --plan: a plan is saved already");
  refused(classify({"--plan", plan(), "--save-plan", plan()}),
          "--weights and --save-plan: do not go with --plan: a plan already holds the weights and "
          "is saved already");
}

TEST_F(ClassifyPlan, IsToldFromWeights) {
  EXPECT_EQ(classify({"--save-plan", plan()}).exit_code, 0);
  const Result weights_as_plan = run({.arguments = {"--plan", weights(), png("a.png")}});
  EXPECT_EQ(weights_as_plan.exit_code, 1);
  EXPECT_EQ(weights_as_plan.err, "classify: " + weights() +
                                     ": looks like weights, not a plan: pass it with --weights\n");
  const Result plan_as_weights = run({.arguments = {"--weights", plan(), png("a.png")}});
  EXPECT_EQ(plan_as_weights.exit_code, 1);
  EXPECT_EQ(plan_as_weights.err,
            "classify: " + plan() + ": is a compiled plan, not weights: pass it with --plan\n");
}

TEST_F(ClassifyPlan, SaysWhatIsWrongWithThePlan) {
  const std::string letter = file("letter", "Dear diary, ");
  const Result result = run({.arguments = {"--plan", letter, png("a.png")}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "classify: load_plan: " + letter +
                            ": must be a plan: it has 12 bytes and does not begin as one\n");
}

TEST_F(ClassifyPlan, BelongsToAnInstructionSet) {
  const std::string best = nn::available_isas().front();
  EXPECT_EQ(classify({"--isa", "reference", "--save-plan", plan()}).exit_code, 0);
  const Result result = run({.arguments = {"--isa", best, "--plan", plan(), png("a.png")}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, text("classify: load_plan: ", plan(),
                             ": must be for the instruction set in use: it is for reference, in "
                             "use is ",
                             best, ": use reference, or save it again for ", best, '\n'));
}

}  // namespace
}  // namespace lamina::test

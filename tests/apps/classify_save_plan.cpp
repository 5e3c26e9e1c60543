// Where classify --save-plan writes, and where it does not: whole messages.
#include <iomanip>
#include <sys/stat.h>

#include "core/error.h"
#include "nn/isa.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

class ClassifySavePlan : public Classify {
 protected:
  std::string plan() const { return path("net.plan"); }

  // Expects `path` to hold afterwards what it held before.
  void expect_kept(const std::string& path, const Result& result, const std::string& bytes,
                   const std::string& why) const {
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err,
              "classify: --save-plan: " + path + ": is " + why + ": it will not be replaced\n");
    EXPECT_TRUE(read_file(path) == bytes) << path;
  }
};

TEST_F(ClassifySavePlan, SaysWhatItSaved) {
  const Result result = classify({"--isa", "reference", "--save-plan", plan()});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  const double bytes = static_cast<double>(std::filesystem::file_size(plan()));
  EXPECT_EQ(result.err, text("classify: ", plan(), ": saved: ", std::fixed, std::setprecision(1),
                             bytes / 1e6, " MB, for reference\n"));
}

TEST_F(ClassifySavePlan, KeepsTheWeights) {
  const std::string bytes = read_file(weights());
  std::filesystem::create_symlink(weights(), path("link"));
  std::filesystem::create_hard_link(weights(), path("hard"));
  for (const std::string& name : {weights(), path("link"), path("hard")}) {
    expect_kept(name, classify({"--save-plan", name}), bytes, "the weights");
  }
}

TEST_F(ClassifySavePlan, KeepsThePictures) {
  const std::string picture = png("b.png");
  const std::string bytes = read_file(picture);
  expect_kept(picture, classify({"--save-plan", picture, png("a.png"), picture}), bytes,
              "one of the pictures");
}

TEST_F(ClassifySavePlan, KeepsWhatIsNoPlan) {
  for (const std::string bytes : {"Dear diary", "x"}) {
    const std::string notes = file("notes", bytes);
    expect_kept(notes, classify({"--save-plan", notes}), bytes, "not a plan");
  }
}

TEST_F(ClassifySavePlan, ReplacesPlansAndEmptyFiles) {
  file("net.plan", "");
  EXPECT_EQ(classify({"--save-plan", plan()}).exit_code, 0);
  const std::string saved = read_file(plan());
  EXPECT_GT(saved.size(), 1000u);
  file("net.plan", saved.substr(0, 100));
  EXPECT_EQ(classify({"--save-plan", plan()}).exit_code, 0);
  EXPECT_TRUE(read_file(plan()) == saved);
}

TEST_F(ClassifySavePlan, SaysWhyItCannotBeSaved) {
  const Result elsewhere = classify({"--save-plan", path("none/net.plan")});
  EXPECT_EQ(elsewhere.exit_code, 1);
  EXPECT_EQ(elsewhere.err,
            text("classify: save: ", path("none/net.plan"), ": cannot be written: its folder ",
                 path("none"), ": No such file or directory\n"));
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  const Result pipe = classify({"--save-plan", path("pipe")});
  EXPECT_EQ(pipe.exit_code, 1);
  EXPECT_EQ(pipe.err, "classify: save: " + path("pipe") + ": must be a regular file\n");
}

TEST_F(ClassifySavePlan, EmptyNamesAreRefused) {
  for (const std::string option : {"--weights", "--plan", "--save-plan"}) {
    const Result result = run({.arguments = {option, "", png("a.png")}});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "classify: " + option +
                              ": must be the name of a file: got '' (see classify --help)\n");
    const Result joined = run({.arguments = {option + '=', png("a.png")}});
    EXPECT_EQ(joined.exit_code, 2);
    EXPECT_EQ(joined.err, "classify: " + option + "= has no value (see classify --help)\n");
  }
}

// The weights come through a pipe, so that the signal is there before them.
TEST_F(ClassifySavePlan, IsLeftOutWhenAskedToStop) {
  const std::string script =
      "cd '" + folder_.path().string() +
      "' && mkfifo pipe && { '" LAMINA_CLASSIFY
      "' --weights pipe --save-plan net.plan & } && exec 3>pipe && kill -TERM $! && "
      "cat weights.safetensors >&3 && exec 3>&- && wait $!";
  const Result result = run({.arguments = {"-c", script}, .program = "/bin/sh"});
  EXPECT_EQ(result.exit_code, 143);
  EXPECT_EQ(result.err, "classify: interrupted before the plan was saved\n");
  EXPECT_FALSE(std::filesystem::exists(plan()));
}

TEST_F(ClassifySavePlan, HelpSaysWhatPlansBelongTo) {
  EXPECT_NE(run({.arguments = {"--help"}})
                .out.find("A plan belongs to one instruction set and one version of Lamina.\n"
                          "  --plan excludes --weights and --save-plan"),
            std::string::npos);
}

}  // namespace
}  // namespace lamina::test

// The README's program: the text that is compiled here, and it works.
#include "core/error.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

TEST(Readme, ShowsTheProgramThatIsCompiled) {
  const std::filesystem::path root = LAMINA_SOURCE_ROOT;
  const std::string readme = read_file(root / "README.md");
  const std::string program = read_file(root / "tests/apps/readme_example.cpp");
  EXPECT_NE(readme.find("```cpp\n" + program + "```\n"), std::string::npos);
}

class ReadmeProgram : public Classify {};

// Linked with the static libraries and with the shared one.
TEST_F(ReadmeProgram, PrintsTheLabelThatClassifyPutsFirst) {
  const std::string picture = png("a.png");
  for (const char* program : {LAMINA_README_EXAMPLE, LAMINA_README_EXAMPLE_SHARED}) {
    const Result label = run({.arguments = {weights(), picture}, .program = program});
    EXPECT_EQ(label.exit_code, 0) << program;
    EXPECT_EQ(label.err, "") << program;
    EXPECT_TRUE(classify({"--top", "1", picture}).out.ends_with("  " + label.out)) << label.out;
  }
}

TEST_F(ReadmeProgram, SaysWhatIsWrong) {
  const Result result = run({.arguments = {weights()}, .program = LAMINA_README_EXAMPLE});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "usage: label WEIGHTS PICTURE\n");
}

}  // namespace
}  // namespace lamina::test

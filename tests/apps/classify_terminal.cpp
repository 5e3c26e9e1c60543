// classify on a terminal: the progress line, narrow windows, Ctrl-C.
#include <algorithm>
#include <string_view>

#include "apps/support/terminal.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

class ClassifyOnTerminal : public Classify {
 protected:
  std::vector<std::string> many(unsigned count) const {
    std::vector<std::string> arguments = {"--top", "1"};
    for (unsigned i = 0; i < count; ++i) {
      arguments.push_back(png(i));
    }
    return with_weights(arguments);
  }
};

TEST_F(ClassifyOnTerminal, ProgressLeavesTheResultsAsTheyAre) {
  const auto arguments = many(8);
  const Result on_terminal = run_on_terminal({.arguments = arguments, .columns = 200});
  EXPECT_EQ(on_terminal.exit_code, 0);
  EXPECT_NE(on_terminal.out.find("] 0/8"), std::string::npos) << on_terminal.out;
  std::string shown;
  for (const std::string& line : screen(on_terminal.out)) {
    shown += line + '\n';
  }
  EXPECT_EQ(shown, run({.arguments = arguments}).out + '\n');
}

TEST_F(ClassifyOnTerminal, NoProgressForOnePicture) {
  const Result result = run_on_terminal({.arguments = many(1), .columns = 200});
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << result.out;
}

TEST_F(ClassifyOnTerminal, NothingButNamesIsWiderThanTheWindow) {
  constexpr unsigned short kColumns = 24;
  std::string bytes = run_on_terminal({.arguments = many(4), .columns = kColumns}).out;
  for (const std::string& line : screen(bytes)) {
    if (!line.empty() && line[0] != '/') {
      EXPECT_EQ(apps::clip(line, kColumns), line);
    }
  }
}

TEST_F(ClassifyOnTerminal, ControlCStopsAfterThePicture) {
  const Result result =
      run_on_terminal({.arguments = many(200), .columns = 200, .interrupt_after = path("2.png")});
  EXPECT_EQ(result.exit_code, 130);
  const auto lines = screen(result.out);
  ASSERT_GE(lines.size(), 2u);
  const std::string& last = lines[lines.size() - 2];
  constexpr std::string_view kStart = "classify: interrupted after ";
  ASSERT_TRUE(last.starts_with(kStart)) << last;
  EXPECT_TRUE(last.ends_with(" of 200 pictures")) << last;
  const auto done = std::stoul(last.substr(kStart.size()));
  EXPECT_EQ(lines.size(), 2 * done + 2);
  EXPECT_LT(done, 200u);
}

}  // namespace
}  // namespace lamina::test

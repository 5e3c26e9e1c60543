// Whether ThreadSanitizer sees through parallel_for: only built for it.
#include <cstdio>
#include <gtest/gtest.h>
#include <string>
#include <sys/wait.h>

namespace lamina {
namespace {

TEST(LoopOrder, TasksThatAddIntoOneSumAreARace) {
  std::FILE* pipe = popen("'" LAMINA_RACE "' 2>&1", "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    output.push_back(static_cast<char>(c));
  }
  const int status = pclose(pipe);
  EXPECT_EQ(WEXITSTATUS(status), 66) << "the sanitizer's exit code";
  EXPECT_NE(output.find("WARNING: ThreadSanitizer: data race"), std::string::npos) << output;
  EXPECT_NE(output.find("tests/core/race.cpp"), std::string::npos) << output;
  EXPECT_NE(output.find("ThreadSanitizer: reported 1 warnings"), std::string::npos) << output;
}

}  // namespace
}  // namespace lamina

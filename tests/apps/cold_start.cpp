// The arguments of benchmarks/cold_start, and that it leaves nothing behind.
#include "core/error.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

class ColdStart : public Classify {
 protected:
  ColdStart() { std::filesystem::create_directory(path("tmp")); }

  Result cold_start(const std::vector<std::string>& arguments) const {
    return run({.arguments = arguments,
                .program = LAMINA_COLD_START,
                .environment = {{"TMPDIR", path("tmp")}}});
  }

  void expect_usage_error(const std::vector<std::string>& arguments,
                          const std::string& message) const {
    const Result result = cold_start(arguments);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "cold_start: " + message + '\n');
    EXPECT_EQ(result.out, "");
  }
};

TEST_F(ColdStart, TimesProcesses) {
  const Result result = cold_start({weights(), "2"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_TRUE(result.out.starts_with("plan of ")) << result.out;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 9) << result.out;
  EXPECT_TRUE(std::filesystem::is_empty(path("tmp")));
}

TEST_F(ColdStart, TellsItsUsage) {
  const Result result = cold_start({"--help"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out,
            "usage: cold_start WEIGHTS [PROCESSES]    PROCESSES: how many to start and time for "
            "each number of threads (default: 40)\n");
}

TEST_F(ColdStart, RefusesWrongArguments) {
  for (const std::string value : {"0", "-1", "1x", "", "x", "100001", "99999999999999999999"}) {
    expect_usage_error({weights(), value},
                       "PROCESSES must be a whole number from 1 to 100000: got '" + value + "'");
  }
  expect_usage_error({weights(), "--fast"}, "unknown option --fast (see cold_start --help)");
  expect_usage_error({"-h"}, "unknown option -h (see cold_start --help)");
  const std::string expected = "WEIGHTS and at most PROCESSES are expected: got ";
  expect_usage_error({}, expected + "0 arguments (see cold_start --help)");
  expect_usage_error({weights(), "1", "2"}, expected + "3 arguments (see cold_start --help)");
}

TEST_F(ColdStart, NamesTheFolderThatIsMissing) {
  const Result result = run({.arguments = {weights(), "1"},
                             .program = LAMINA_COLD_START,
                             .environment = {{"TMPDIR", path("none")}}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "cold_start: TMPDIR: must be a folder to write to: " + path("none") +
                            ": No such file or directory\n");
}

// What its folder holds while it runs is what would stay if it were ended then.
TEST_F(ColdStart, LeavesNothingWhenStopped) {
  const std::string script = "cd '" + folder_.path().string() +
                             "'; '" LAMINA_COLD_START
                             "' weights.safetensors 100000 >out & "
                             "while kill -0 $! && ! grep -q plan out; do sleep 0.01; done; "
                             "ls tmp; kill -TERM $!; wait $!; echo $?; ls tmp";
  const Result result = run({.arguments = {"-c", script},
                             .program = "/bin/sh",
                             .environment = {{"TMPDIR", path("tmp")}}});
  EXPECT_EQ(result.out, "143\n");
}

}  // namespace
}  // namespace lamina::test

// Training that is killed or interrupted, and goes on to the same bits.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "tests/apps/train_fixture.h"

namespace lamina::test {
namespace {

class TrainResume : public Train {
 protected:
  // Everything that a checkpoint must hold: momentum, average, dropout, augmentation, mixing, and
  // checkpoints in the middle of epochs.
  Command long_command(const std::string& out, bool resume) const {
    Command made = command(
        out, {"--epochs", "25", "--batch", "8", "--mixup", "0.2", "--cutmix", "1", "--dropout",
              "0.3", "--ema", "0.9", "--label-smoothing", "0.1", "--checkpoint-minutes", "0.0001"});
    if (resume) {
      made.arguments.emplace_back("--resume");
    }
    return made;
  }
  Command next(const std::string& out) const {
    return long_command(out + ".safetensors", exists(out + ".checkpoint.safetensors"));
  }
  static std::size_t count_lines(const std::string& log, const std::string& kind) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = log.find("{\"kind\":\"" + kind, at)) != log.npos; ++at) {
      ++count;
    }
    return count;
  }
};

TEST_F(TrainResume, TwentyKillsLeaveTheSameBits) {
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(run(next("whole")).exit_code, 0);
  const auto whole = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - begin);
  const auto expected = bits("whole.safetensors");
  std::mt19937 random(2026);
  std::uniform_int_distribution<std::int64_t> moment(1000, whole.count() / 2);
  std::size_t kills = 0;
  std::size_t finished = 0;
  while (kills < 20) {
    const Result result = run_and_kill(next("killed"), std::chrono::microseconds(moment(random)));
    if (result.exit_code == 0) {
      EXPECT_EQ(bits("killed.safetensors"), expected);
      ++finished;
    } else {
      ASSERT_EQ(result.exit_code, 128 + SIGKILL) << result.err;
      ++kills;
    }
  }
  const Result last = run(next("killed"));
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(bits("killed.safetensors"), expected);
  const std::string log = read_file(path("killed.jsonl"));
  EXPECT_EQ(count_lines(log, "epoch"), 25u);
  EXPECT_EQ(count_lines(log, "step"), 25u * 4);
  EXPECT_EQ(count_lines(log, "start"), 1u);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
    files += entry.path().string().find(".tmp") != std::string::npos ? 1 : 0;
  }
  EXPECT_EQ(files, 0u) << "unfinished files of killed processes";
  RecordProperty("finished", static_cast<int>(finished));
}

TEST_F(TrainResume, ControlCSavesAndStops) {
  ASSERT_EQ(run(next("whole")).exit_code, 0);
  const Result stopped = run_on_terminal({.arguments = next("stopped").arguments,
                                          .columns = 200,
                                          .interrupt_after = "epoch  2/25  loss",
                                          .program = LAMINA_TRAIN});
  EXPECT_EQ(stopped.exit_code, 130) << stopped.out;
  EXPECT_NE(stopped.out.find("train: stopped in epoch "), std::string::npos) << stopped.out;
  ASSERT_TRUE(exists("stopped.checkpoint.safetensors"));
  EXPECT_FALSE(exists("stopped.safetensors"));
  const Result rest = run(next("stopped"));
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_NE(rest.out.find("\ngoing on after "), std::string::npos) << rest.out;
  EXPECT_EQ(bits("stopped.safetensors"), bits("whole.safetensors"));
}

TEST_F(TrainResume, CountsTheTimeOfAllProcesses) {
  const auto seconds_of = [this](const std::string& kind) {
    const std::string log = read_file(path("stopped.jsonl"));
    std::vector<double> seconds;
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line);
      if (json["kind"] == kind) {
        seconds.push_back(json["seconds"]);
      }
    }
    return seconds;
  };
  const TerminalCommand interrupted{.arguments = next("stopped").arguments,
                                    .columns = 200,
                                    .interrupt_after = "epoch  4/25  loss",
                                    .program = LAMINA_TRAIN};
  ASSERT_EQ(run_on_terminal(interrupted).exit_code, 130);
  const std::vector<double> before = seconds_of("epoch");
  ASSERT_GE(before.size(), 4u);
  ASSERT_EQ(run(next("stopped")).exit_code, 0);
  const std::vector<double> after = seconds_of("epoch");
  ASSERT_EQ(after.size(), 25u);
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
  EXPECT_TRUE(std::ranges::is_sorted(after));
  ASSERT_EQ(seconds_of("end").size(), 1u);
  EXPECT_GE(seconds_of("end")[0], after.back());
  EXPECT_EQ(count_lines(read_file(path("stopped.jsonl")), "resume"), 1u);
}

TEST_F(TrainResume, TakesItsSettingsFromTheCheckpoint) {
  ASSERT_EQ(run(next("whole")).exit_code, 0);
  run_on_terminal({.arguments = next("stopped").arguments,
                   .columns = 200,
                   .interrupt_after = "epoch  3/25  loss",
                   .program = LAMINA_TRAIN});
  const Result rest = run(
      {.arguments = {data(), "--out", path("stopped.safetensors"), "--resume", "--threads", "1"},
       .program = LAMINA_TRAIN});
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_EQ(bits("stopped.safetensors"), bits("whole.safetensors"));
}

TEST_F(TrainResume, ShowsAnEpochOnATerminal) {
  const Result result = run_on_terminal(
      {.arguments = command("m.safetensors").arguments, .columns = 200, .program = LAMINA_TRAIN});
  EXPECT_EQ(result.exit_code, 0) << result.out;
  EXPECT_NE(result.out.find("epoch 1/3 ["), std::string::npos) << result.out;
  for (const char* part : {"images/s", "loss ", "top-1 ", "rate ", " left"}) {
    EXPECT_NE(result.out.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace lamina::test

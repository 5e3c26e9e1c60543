// What train says and returns when something is wrong: whole messages.
#include <cmath>
#include <fstream>

#include "tests/apps/train_fixture.h"

namespace lamina::test {
namespace {

class TrainErrors : public Train {
 protected:
  void expect_failure(const Result& result, int exit_code, const std::string& message) const {
    EXPECT_EQ(result.exit_code, exit_code);
    EXPECT_EQ(result.err, "train: " + message + "\n");
    EXPECT_EQ(result.out, "");
  }
  Result config(const std::string& json) const {
    write_file(path("config.json"), json);
    return train("m.safetensors", {"--config", path("config.json")});
  }
};

TEST_F(TrainErrors, NeedsDataAndOut) {
  expect_failure(run({.arguments = {}, .program = LAMINA_TRAIN}), 2,
                 "DATA is required (see train --help)");
  expect_failure(run({.arguments = {data()}, .program = LAMINA_TRAIN}), 2,
                 "--out is required (see train --help)");
  expect_failure(run({.arguments = {data(), "--out", "model.pth"}, .program = LAMINA_TRAIN}), 2,
                 "--out: must end in .safetensors: got 'model.pth'");
}

TEST_F(TrainErrors, ChecksSettings) {
  const std::string help = " (see train --help)";
  expect_failure(train("m.safetensors", {"--epochs", "0"}), 2,
                 "--epochs: must be a whole number from 1 to 1048576: got '0'" + help);
  expect_failure(train("m.safetensors", {"--lr", "fast"}), 2,
                 "--lr: must be a number from 0 to 1000: got 'fast'" + help);
  expect_failure(train("m.safetensors", {"--optimizer", "adam"}), 2,
                 "--optimizer: must be one of sgd|rmsprop|adamw: got 'adam'" + help);
  expect_failure(train("m.safetensors", {"--augment", "blur=2"}), 2,
                 "augment: must be of crop, crop-ratio, flip, shift, brightness, contrast, "
                 "saturation, hue, trivial and erasing, each with = and a number: got 'blur'");
  expect_failure(train("m.safetensors", {"--std", "0"}), 2, "std: must be above 0: got 0");
  expect_failure(train("m.safetensors", {"--freeze", "2"}), 2,
                 "freeze: there must be weights to keep: pass --init FILE");
  expect_failure(train("m.safetensors", {"--epochs", "1", "--warmup", "1"}), 2,
                 "warmup: must be below epochs, so that training goes on after it: warmup is 1, "
                 "epochs is 1");
  expect_failure(train("m.safetensors", {"--step-factor", "0"}), 2,
                 "--step-factor: must be a number from 1e-09 to 1: got '0'" + help);
  expect_failure(train("m.safetensors", {"--resume", "--restart"}), 2,
                 "--resume: does not go with --restart: one goes on, the other begins anew");
}

TEST_F(TrainErrors, WantsStepsAfterTheWarmUp) {
  const Result result = train("m.safetensors", {"--epochs", "1", "--warmup", "0.9"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err,
            "train: warmup: must leave a step of training: 0.9 epochs of 3 steps are 3, all of "
            "them\n");
  EXPECT_FALSE(exists("m.checkpoint.safetensors"));
}

TEST_F(TrainErrors, NamesKeysOfConfigFiles) {
  const std::string file = path("config.json");
  expect_failure(config(R"({"epochs": 2, "rate": 1})"), 2,
                 file + ": there is no setting \"rate\" (see train --help)");
  expect_failure(config(R"({"epochs": true})"), 2,
                 file + ": epochs: must be a number or a text: got true");
  expect_failure(config(R"({"epochs": 1.5})"), 2,
                 file + ": epochs: must be a whole number from 1 to 1048576: got '1.5'");
  expect_failure(config("[1]"), 2, file + ": must be a JSON object of settings: got array");
  EXPECT_EQ(config("{").exit_code, 2);
  EXPECT_TRUE(config("{").err.starts_with("train: " + file + ": is not JSON: "));
}

TEST_F(TrainErrors, NeedsPictures) {
  const auto on = [&](const std::string& folder) {
    return run({.arguments = {folder, "--out", path("m.safetensors")}, .program = LAMINA_TRAIN});
  };
  expect_failure(on(path("none")), 1,
                 "open_dataset: " + path("none") + ": must be a folder: there is none");
  write_picture("single/train/red/1.png", 2, 1);
  expect_failure(on(path("single")), 1,
                 path("single") + ": there must be two classes at least: there is only red");
  expect_failure(on(path("pictures/train")), 1,
                 "open_image_folder: " + path("pictures/train") +
                     ": must have a folder val or test with classes inside: there is none (or hold "
                     "training pictures out: --hold-out N)");
  EXPECT_FALSE(exists("m.checkpoint.safetensors"));
}

TEST_F(TrainErrors, NamesTheBrokenPicture) {
  write_file(path("pictures/train/red/5.png"), "no picture");
  const Result result = train("m.safetensors");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err, "train: decode_image: " + path("pictures/train/red/5.png") +
                            ": is neither a PNG nor a JPEG: begins with 6e 6f 20 70\n");
  EXPECT_TRUE(exists("m.checkpoint.safetensors"));
}

TEST_F(TrainErrors, ChecksTheResolution) {
  expect_failure(train("m.safetensors", {"--resolution", "24", "--stride", "32"}), 1,
                 "resolution: must be at least the stride, 32 pixels: got 24");
  expect_failure(train("m.safetensors", {"--stride", "5"}), 2,
                 "stride: must be 32, 16, 8 or 4, or 0 to choose by the resolution: got 5");
}

TEST_F(TrainErrors, FindsOutBeforeTrainingThatTheModelCannotBeWritten) {
  std::filesystem::create_directory(path("taken.safetensors"));
  expect_failure(train("taken.safetensors"), 1,
                 "train: " + path("taken.safetensors") + ": must be a regular file");
  expect_failure(train("nowhere/m.safetensors"), 1,
                 "train: " + path("nowhere/m.safetensors") + ": cannot be written: its folder " +
                     path("nowhere") + ": No such file or directory");
}

TEST_F(TrainErrors, ResumesOnlyWhatItBegan) {
  expect_failure(train("m.safetensors", {"--resume"}), 2,
                 "--resume: there is no checkpoint " + path("m.checkpoint.safetensors") +
                     ": leave --resume out to begin");
  write_file(path("pictures/train/red/5.png"), "no picture");
  ASSERT_EQ(train("m.safetensors").exit_code, 1);
  write_picture("pictures/train/red/5.png", 2, 5);
  expect_failure(train("m.safetensors"), 2,
                 path("m.checkpoint.safetensors") +
                     ": is an unfinished training: go on with --resume, or begin anew with "
                     "--restart");
  expect_failure(train("m.safetensors", {"--resume", "--lr", "0.1"}), 2,
                 path("m.checkpoint.safetensors") +
                     ": is of another training: its lr is '0.05', now it is '0.1'");
  write_picture("pictures/train/red/more.png", 2, 50);
  const Result other = train("m.safetensors", {"--resume"});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_NE(other.err.find("is of other pictures: it has 36 training pictures, 12 test split, 3 "
                           "classes: blue green red; "),
            std::string::npos)
      << other.err;
  std::filesystem::remove(path("pictures/train/red/more.png"));
  EXPECT_EQ(train("m.safetensors", {"--resume"}).exit_code, 0);
}

TEST_F(TrainErrors, StopsWhereTheLossIsNotFinite) {
  const Result result = train("m.safetensors", {"--lr", "1000", "--schedule", "constant",
                                                "--epochs", "50", "--weight-decay", "1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.err.starts_with("train: step ")) << result.err;
  EXPECT_NE(result.err.find(" must be finite: "), std::string::npos) << result.err;
  EXPECT_TRUE(exists("m.checkpoint.safetensors"));
  for (const auto& [name, values] :
       models::read_checkpoint(path("m.checkpoint.safetensors")).tensors) {
    for (const float value : values.values()) {
      ASSERT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST_F(TrainErrors, RefusesWeightsThatAreNone) {
  write_file(path("weights.safetensors"), "short");
  expect_failure(train("m.safetensors", {"--init", path("weights.safetensors")}), 1,
                 "safetensors: " + path("weights.safetensors") +
                     ": file must begin with the 8 bytes of the header's length: it has 5");
}

}  // namespace
}  // namespace lamina::test

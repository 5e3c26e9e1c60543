// What train makes of good pictures, run as its users run it.
#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/image.h"
#include "models/load.h"
#include "tests/apps/train_fixture.h"

namespace lamina::test {
namespace {

using Json = nlohmann::json;

std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> objects;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    objects.push_back(Json::parse(line));
  }
  return objects;
}

std::size_t count_kind(const std::vector<Json>& log, const std::string& kind) {
  return static_cast<std::size_t>(
      std::ranges::count_if(log, [&](const Json& line) { return line["kind"] == kind; }));
}

TEST_F(Train, LearnsColorsAndClassifyUsesTheModel) {
  const Result result = train("model.safetensors", {"--epochs", "30", "--lr", "0.02"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 33) << result.out;
  EXPECT_FALSE(exists("model.checkpoint.safetensors"));
  std::vector<std::string> arguments = {"--weights", path("model.safetensors"), "--json", "--top",
                                        "1"};
  for (unsigned i = 0; i < 12; ++i) {
    const std::string picture = text("new", i, ".png");
    write_picture(picture, i % 3, 100 + i);
    arguments.push_back(path(picture));
  }
  const Result seen = run({.arguments = arguments});
  EXPECT_EQ(seen.err, "");
  const std::vector<Json> answers = parse_lines(seen.out);
  ASSERT_EQ(answers.size(), 12u);
  int right = 0;
  for (unsigned i = 0; i < 12; ++i) {
    right += answers[i]["predictions"][0]["label"] == kClasses[i % 3] ? 1 : 0;
  }
  EXPECT_GE(right, 11) << seen.out;
}

TEST_F(Train, WritesALogOfStepsAndEpochs) {
  ASSERT_EQ(train("model.safetensors").exit_code, 0);
  const std::vector<Json> log = parse_lines(read_file(path("model.jsonl")));
  ASSERT_EQ(log.size(), 1 + 9 + 3 + 1u);
  EXPECT_EQ(log[0]["kind"], "start");
  EXPECT_EQ(log[0]["recipe"]["lr"], 0.05);
  EXPECT_EQ(log[0]["recipe"]["stride"], 8);
  EXPECT_EQ(count_kind(log, "step"), 9u);
  EXPECT_EQ(count_kind(log, "epoch"), 3u);
  for (const char* key : {"parameters", "multiply_adds"}) {
    EXPECT_GT(log[0][key], 1000) << key;
  }
  EXPECT_EQ(log[0]["pictures"], 36);
  EXPECT_EQ(log[0]["machine"]["threads"].is_number(), true);
  const Json& last = log[log.size() - 2];
  EXPECT_EQ(last["kind"], "epoch");
  EXPECT_EQ(last["step"], 9);
  EXPECT_EQ(last["epoch"], 3.0);
  for (const char* key : {"loss", "top1", "rate", "images_per_second", "seconds", "validation_loss",
                          "validation_top1", "validation_top5"}) {
    EXPECT_TRUE(last[key].is_number()) << key;
  }
  EXPECT_EQ(last["validation_top5"], 1.0);
  double sum = 0.0;
  for (const Json& line : log) {
    sum += line["kind"] == "step" && line["step"] > 6 ? line["loss"].get<double>() : 0.0;
  }
  EXPECT_NEAR(last["loss"].get<double>(), sum / 3, 1e-6);
}

// Of every class, how classify names its pictures.
std::vector<std::vector<std::size_t>> confusion_of(
    const std::vector<std::string>& classes,
    const std::function<std::vector<Json>(const std::string&)>& classify) {
  std::vector<std::vector<std::size_t>> counts;
  for (const std::string& name : classes) {
    auto& row = counts.emplace_back(classes.size());
    for (const Json& answer : classify(name)) {
      const auto found =
          std::ranges::find(classes, answer["predictions"][0]["label"].get<std::string>());
      ++row[static_cast<std::size_t>(found - classes.begin())];
    }
  }
  return counts;
}

TEST_F(Train, EndsTheLogWithTheConfusionMatrix) {
  ASSERT_EQ(train("model.safetensors", {"--precise-bn", "2"}).exit_code, 0);
  const Json end = parse_lines(read_file(path("model.jsonl"))).back();
  EXPECT_EQ(end["kind"], "end");
  EXPECT_EQ(end["step"], 9);
  EXPECT_GT(end["seconds"], 0.0);
  EXPECT_EQ(end["validated_on"], "test split");
  EXPECT_EQ(end["validation_pictures"], 12);
  const std::vector<std::string> classes = end["classes"];
  EXPECT_EQ(classes, (std::vector<std::string>{"blue", "green", "red"}));
  const auto counts = confusion_of(classes, [&](const std::string& name) {
    return parse_lines(run({.arguments = {"--weights", path("model.safetensors"), "--json", "--top",
                                          "1", path("pictures/val/" + name)}})
                           .out);
  });
  EXPECT_EQ(end["confusion"].get<decltype(counts)>(), counts);
  std::size_t right = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    right += counts[i][i];
    EXPECT_EQ(end["recall"][i], static_cast<double>(counts[i][i]) / 4);
  }
  EXPECT_EQ(end["validation_top1"], static_cast<double>(right) / 12);
}

TEST_F(Train, ListsTheWorstConfusionsOfManyClasses) {
  for (unsigned c = 0; c < 21; ++c) {
    write_picture(text("many/train/class", c, "/1.png"), c % 3, c);
    write_picture(text("many/val/class", c, "/1.png"), c % 3, 50 + c);
  }
  const Result result = run({.arguments = {path("many"), "--out", path("m.safetensors"), "--width",
                                           "0.1", "--epochs", "1", "--batch", "7"},
                             .program = LAMINA_TRAIN});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string card = read_file(path("m.md"));
  const auto at =
      card.find("| truth | prediction | pictures | of the truth's |\n|---|---|---:|---:|");
  ASSERT_NE(at, std::string::npos) << card;
  EXPECT_NE(card.find("| class0 | class", at), std::string::npos) << card;
  EXPECT_NE(card.find("The lowest recalls:", at), std::string::npos) << card;
  const std::string table = card.substr(at, card.find("\n\n", at) - at);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 11) << table;
  EXPECT_EQ(parse_lines(read_file(path("m.jsonl"))).back()["confusion"].size(), 21u);
}

TEST_F(Train, WritesACardAndCurves) {
  ASSERT_EQ(train("model.safetensors", {"--about", "Three colors."}).exit_code, 0);
  const std::string card = read_file(path("model.md"));
  for (const char* part :
       {"# model\n", "Three colors.", "| top-1 |", "12 pictures (test split)", "36 pictures",
        "## Confusion matrix", "| | blue | green | red | recall |", "\n| red | ",
        "| multiply-adds | ", "--epochs 3", "| weight-decay | 4e-05 |"}) {
    EXPECT_NE(card.find(part), std::string::npos) << part << " in\n" << card;
  }
  if (LAMINA_HAS_CURVES) {
    const data::Image curves = data::read_image(path("model.png"));
    EXPECT_EQ(curves.width, 1280u);
    EXPECT_EQ(curves.height, 520u);
  }
}

TEST_F(Train, HasTheSameBitsForAnyThreads) {
  const std::vector<std::string> mixed = {"--mixup",   "0.2", "--cutmix", "1",
                                          "--dropout", "0.5", "--ema",    "0.9"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), mixed.begin(), mixed.end());
    return more;
  };
  ASSERT_EQ(train("one.safetensors", with({"--threads", "1", "--loader-threads", "1"})).exit_code,
            0);
  ASSERT_EQ(train("three.safetensors", with({"--threads", "3", "--loader-threads", "4"})).exit_code,
            0);
  ASSERT_EQ(train("other.safetensors", with({"--seed", "1"})).exit_code, 0);
  EXPECT_EQ(bits("one.safetensors"), bits("three.safetensors"));
  EXPECT_NE(bits("one.safetensors"), bits("other.safetensors"));
}

TEST_F(Train, KeepsItsRecipeInTheModel) {
  ASSERT_EQ(train("model.safetensors", {"--mean", "0.5", "--std", "0.25"}).exit_code, 0);
  const models::Classifier classifier = models::read_classifier(path("model.safetensors"));
  EXPECT_EQ(classifier.labels, (std::vector<std::string>{"blue", "green", "red"}));
  EXPECT_EQ(classifier.preprocessing.crop, 16u);
  EXPECT_EQ(classifier.preprocessing.mean[2], 0.5f);
  EXPECT_EQ(classifier.preprocessing.std[0], 0.25f);
  EXPECT_EQ(classifier.assumptions, std::vector<std::string>{});
  const auto metadata = models::read_checkpoint(path("model.safetensors")).metadata;
  EXPECT_EQ(Json::parse(metadata.at("recipe"))["epochs"], 3);
}

TEST_F(Train, ReadsConfigFilesBelowTheCommandLine) {
  write_file(path("config.json"),
             R"({"epochs": 2, "lr": 0.01, "mean": [0.1, 0.2, 0.3], "augment": {"flip": 0.25}})");
  const Result result =
      run({.arguments = {data(), "--config", path("config.json"), "--out", path("m.safetensors"),
                         "--width", "0.1", "--batch", "12", "--lr", "0.02"},
           .program = LAMINA_TRAIN});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json start = parse_lines(read_file(path("m.jsonl")))[0]["recipe"];
  EXPECT_EQ(start["epochs"], 2);
  EXPECT_EQ(start["lr"], 0.02);
  EXPECT_EQ(start["mean"], "0.1,0.2,0.3");
  EXPECT_EQ(start["augment"], "flip=0.25");
}

TEST_F(Train, RunsEveryOptimizerAndSchedule) {
  const std::vector<std::vector<std::string>> choices = {
      {"--optimizer", "rmsprop", "--schedule", "exponential", "--lr", "0.01"},
      {"--optimizer", "adamw", "--schedule", "one-cycle", "--lr", "0.001", "--clip", "1"},
      {"--momentum-form", "nesterov", "--schedule", "step", "--warmup", "1"},
      {"--schedule", "constant", "--label-smoothing", "0.1", "--decay-on", "weights"},
      {"--initialization", "truncated-normal", "--precise-bn", "3", "--bn-momentum", "0.01"}};
  for (const auto& choice : choices) {
    const Result result = train("model.safetensors", choice);
    EXPECT_EQ(result.exit_code, 0) << choice[1] << ": " << result.err;
  }
}

TEST_F(Train, HoldsTrainingPicturesOut) {
  const std::string all = path("pictures/train");
  const Result result = run({.arguments = {all, "--out", path("m.safetensors"), "--hold-out", "6",
                                           "--width", "0.1", "--epochs", "1", "--batch", "10"},
                             .program = LAMINA_TRAIN});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string card = read_file(path("m.md"));
  EXPECT_NE(card.find("6 pictures (held out)"), std::string::npos) << card;
  EXPECT_NE(card.find("trained on | 30 pictures"), std::string::npos) << card;
}

TEST_F(Train, PreciseStatisticsAreThoseOfTheBatches) {
  ASSERT_EQ(train("own.safetensors", {"--epochs", "1"}).exit_code, 0);
  ASSERT_EQ(train("precise.safetensors", {"--epochs", "1", "--precise-bn", "3"}).exit_code, 0);
  const auto own = bits("own.safetensors");
  const auto precise = bits("precise.safetensors");
  for (const auto& [name, values] : own) {
    const bool is_statistic = name.find(".running_") != name.npos;
    EXPECT_EQ(values != precise.at(name), is_statistic) << name;
  }
}

}  // namespace
}  // namespace lamina::test

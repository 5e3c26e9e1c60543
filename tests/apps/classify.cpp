// What classify prints for good pictures, run as its users run it.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "data/preprocessing.h"
#include "models/load.h"
#include "nn/ops.h"
#include "nn/plan.h"
#include "tests/apps/classify_fixture.h"

namespace lamina::test {
namespace {

using Json = nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> objects;
  for (const std::string& line : lines_of(text)) {
    objects.push_back(Json::parse(line));
  }
  return objects;
}

TEST_F(Classify, PrintsNameAndLikeliestClasses) {
  const std::string picture = png("a.png");
  const Result result = classify({"--top", "2", picture});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], picture);
  const std::regex prediction("  [ 1][ 0-9][0-9]\\.[0-9]{2}%  .* .+");
  EXPECT_TRUE(std::regex_match(lines[1], prediction)) << lines[1];
  EXPECT_TRUE(std::regex_match(lines[2], prediction)) << lines[2];
}

TEST_F(Classify, AgreesWithTheLibrary) {
  const std::string picture = png("a.png");
  const models::Classifier classifier = models::read_classifier(weights());
  const nn::Plan plan = nn::compile(nn::trace(*classifier.net, classifier.input_shape()));
  const Tensor logits = plan(data::preprocess(random_picture(48, 64, 1), classifier.preprocessing));
  const Tensor probabilities = nn::softmax(logits);
  const auto objects = parse_lines(classify({"--json", "--top", "10", picture}).out);
  ASSERT_EQ(objects.size(), 1u);
  ASSERT_EQ(objects[0]["predictions"].size(), 10u);
  float previous = 2.0f;
  for (const Json& prediction : objects[0]["predictions"]) {
    const auto index = prediction["index"].get<std::size_t>();
    EXPECT_EQ(prediction["label"], classifier.labels[index]);
    EXPECT_EQ(prediction["logit"].get<float>(), logits.values()[index]);
    EXPECT_EQ(prediction["probability"].get<float>(), probabilities.values()[index]);
    EXPECT_LE(prediction["probability"].get<float>(), previous);
    previous = prediction["probability"].get<float>();
  }
}

TEST_F(Classify, DrawsBarsOfTheLocale) {
  const std::string picture = png("a.png");
  const auto arguments = with_weights({"--top", "1", picture});
  const std::string unicode = run({.arguments = arguments}).out;
  const std::string ascii = run({.arguments = arguments, .environment = {{"LC_ALL", "C"}}}).out;
  EXPECT_NE(unicode.find("%  █"), std::string::npos) << unicode;
  EXPECT_NE(ascii.find("%  #"), std::string::npos) << ascii;
  EXPECT_TRUE(std::all_of(ascii.begin(), ascii.end(), [](char c) { return c > 0; })) << ascii;
}

TEST_F(Classify, ShowsAllClassesWhenAskedForMore) {
  const Result result = classify({"--top", "1000000", png("a.png")});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(lines_of(result.out).size(), 1u + 10u);
}

TEST_F(Classify, ShowsFiveClassesByDefault) {
  EXPECT_EQ(lines_of(classify({png("a.png")}).out).size(), 1u + 5u);
}

TEST_F(Classify, KeepsTheOrderOfManyPictures) {
  std::vector<std::string> arguments = {"--json", "--threads", "2"};
  for (unsigned i = 0; i < 20; ++i) {
    arguments.push_back(png(19 - i));
  }
  const Result result = classify(arguments);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const auto objects = parse_lines(result.out);
  ASSERT_EQ(objects.size(), 20u);
  for (std::size_t i = 0; i < objects.size(); ++i) {
    EXPECT_EQ(objects[i]["file"], arguments[i + 3]);
  }
}

TEST_F(Classify, WalksDirectoriesInOrderOfPath) {
  std::filesystem::create_directories(path("photos/deep"));
  png("photos/b.PNG");
  png("photos/deep/a.png");
  file("photos/c.jpeg", jpeg(random_picture(40, 50, 3)));
  file("photos/notes.txt", "no picture");
  const auto objects = parse_lines(classify({"--json", path("photos")}).out);
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_EQ(objects[0]["file"], path("photos/b.PNG"));
  EXPECT_EQ(objects[1]["file"], path("photos/c.jpeg"));
  EXPECT_EQ(objects[2]["file"], path("photos/deep/a.png"));
}

TEST_F(Classify, ReadsStandardInput) {
  const std::string picture = png("a.png");
  const Result from_file = classify({"--json", picture});
  const Result result =
      run({.arguments = with_weights({"--json", "-"}), .input = read_file(picture)});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const Json object = Json::parse(result.out);
  EXPECT_EQ(object["file"], "-");
  EXPECT_EQ(object["predictions"], Json::parse(from_file.out)["predictions"]);
}

TEST_F(Classify, TakesWeightsFromTheEnvironment) {
  const Result result =
      run({.arguments = {png("a.png")}, .environment = {{"LAMINA_WEIGHTS", weights()}}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

TEST_F(Classify, SaysWhatItAssumes) {
  const std::string nameless = path("nameless.safetensors");
  write_small_network(nameless, Labels::nameless);
  const Result result = run({.arguments = {"--json", "--weights", nameless, png("a.png")}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "classify: The classes have no names.\n");
  const std::string label = Json::parse(result.out)["predictions"][0]["label"];
  EXPECT_TRUE(label.starts_with("class ")) << label;
}

TEST_F(Classify, TimesEveryPictureAndSumsUp) {
  const Result result = classify({"--time", "--top", "1", png("a.png"), png("b.png")});
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 6u);
  const std::regex times("  decode [0-9.]+ ms, preprocess [0-9.]+ ms, network [0-9.]+ ms");
  EXPECT_TRUE(std::regex_match(lines[2], times)) << lines[2];
  EXPECT_TRUE(std::regex_match(lines[5], times)) << lines[5];
  const auto summary = lines_of(result.err);
  ASSERT_EQ(summary.size(), 4u);
  EXPECT_EQ(summary[0], "ms             minimum    median");
}

TEST_F(Classify, TimesArePartOfTheJson) {
  const Json object = Json::parse(classify({"--time", "--json", png("a.png")}).out);
  for (const char* stage : {"decode", "preprocess", "network"}) {
    EXPECT_GT(object["time_ms"][stage].get<double>(), 0.0) << stage;
  }
}

TEST_F(Classify, SurvivesFileNamesThatAreNotText) {
  const std::string picture = png("caf\xe9\n\x1b[2J.png");
  const Result json = classify({"--json", picture});
  EXPECT_EQ(json.exit_code, 0);
  EXPECT_EQ(Json::parse(json.out)["file"], path("caf\xef\xbf\xbd\n\x1b[2J.png"));
  EXPECT_EQ(lines_of(classify({picture}).out)[0], path("caf\xe9??[2J.png"));
}

TEST_F(Classify, ResultsDoNotDependOnThreads) {
  const std::string picture = png("a.png");
  EXPECT_EQ(classify({"--json", "--threads", "1", picture}).out,
            classify({"--json", "--threads", "2", picture}).out);
}

TEST_F(Classify, HelpShowsExamplesAndExitCodes) {
  const Result result = run({.arguments = {"--help"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_NE(result.out.find("Examples:\n  classify --weights"), std::string::npos);
  EXPECT_NE(result.out.find("Exit codes:\n  0    all done\n"), std::string::npos);
}

TEST_F(Classify, TellsItsVersion) {
  const Result result = run({.arguments = {"--version"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "classify (Lamina) " LAMINA_VERSION "\n");
}

}  // namespace
}  // namespace lamina::test

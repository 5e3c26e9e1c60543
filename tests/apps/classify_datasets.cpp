// classify over data sets, whose classes are known.
#include <algorithm>
#include <iomanip>
#include <regex>
#include <set>

#include "tests/apps/dataset_fixture.h"

namespace lamina::test {
namespace {

using Json = nlohmann::json;

TEST_F(ClassifyDatasets, MarksWhatIsWrongAndCounts) {
  const std::vector<Json> want = answers(12);
  const std::vector<std::size_t> labels = half_right(want);
  const std::string folder = idx(labels);
  const Result result = classify({folder});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  const std::vector<std::string> names = {"ant", "bee", "cat", "dog",  "eel",
                                          "fox", "gnu", "hen", "ibis", "jaçanã"};
  std::ostringstream lines;
  lines << std::fixed << std::setprecision(2);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const Json& best = want[i]["predictions"][0];
    lines << folder << ' ' << std::setw(2) << i << "  " << std::setw(6)
          << 100.0f * best["probability"].get<float>() << "%  " << best["label"].get<std::string>()
          << (i % 2 == 1 ? "  (wrong: should be " + names[labels[i]] + ")\n" : "\n");
  }
  ASSERT_TRUE(result.out.starts_with(lines.str())) << result.out << lines.str();
  const std::string last = result.out.substr(lines.str().size());
  EXPECT_TRUE(std::regex_match(last, std::regex("6 of 12 right \\(50\\.00%\\), \\d+ images/s\n")))
      << last;
}

TEST_F(ClassifyDatasets, SeesWhatIsInFilesOfTheSamePictures) {
  const std::vector<Json> want = answers(4);
  const std::vector<std::size_t> labels = half_right(want);
  const std::string folder = idx(labels);
  const std::vector<Json> got = parse_lines(classify({"--json", "--top", "10", folder}).out);
  ASSERT_EQ(got.size(), 5u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(got[i]["file"], folder);
    EXPECT_EQ(got[i]["number"], i);
    EXPECT_EQ(got[i]["truth"]["index"], labels[i]);
    EXPECT_EQ(got[i]["right"], i % 2 == 0);
    EXPECT_EQ(got[i]["predictions"], want[i]["predictions"]);
  }
  EXPECT_EQ(got[4]["summary"]["pictures"], 4);
  EXPECT_EQ(got[4]["summary"]["right"], 2);
  EXPECT_EQ(got[4]["summary"]["share"], 0.5);
  EXPECT_GT(got[4]["summary"]["images_per_second"], 0.0);
}

TEST_F(ClassifyDatasets, ListsOneClassUnlessAskedForMore) {
  const std::string folder = idx({1, 2});
  EXPECT_EQ(parse_lines(classify({"--json", folder}).out)[0]["predictions"].size(), 1u);
  const std::string table = classify({"--top", "3", folder}).out;
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 2 * 4 + 1) << table;
}

TEST_F(ClassifyDatasets, TakesTheFirstOrAsASeedDecides) {
  const std::string folder = idx(std::vector<std::size_t>(30, 3));
  const auto numbers = [&](std::vector<std::string> options) {
    options.insert(options.end(), {"--json", folder});
    std::vector<std::size_t> found;
    for (const Json& line : parse_lines(classify(options).out)) {
      if (line.contains("number")) {
        found.push_back(line["number"].get<std::size_t>());
      }
    }
    return found;
  };
  EXPECT_EQ(numbers({"--limit", "3"}), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(numbers({"--limit", "99"}).size(), 30u);
  const auto one = numbers({"--shuffle", "1"});
  EXPECT_EQ(std::set(one.begin(), one.end()).size(), 30u);
  EXPECT_FALSE(std::ranges::is_sorted(one));
  EXPECT_EQ(numbers({"--shuffle", "1", "--threads", "3"}), one);
  EXPECT_NE(numbers({"--shuffle", "2"}), one);
  EXPECT_EQ(numbers({"--shuffle", "1", "--limit", "4"}),
            std::vector<std::size_t>(one.begin(), one.begin() + 4));
}

TEST_F(ClassifyDatasets, LimitsFoldersAndNotFiles) {
  std::filesystem::create_directories(path("photos"));
  for (const char* name : {"photos/a.png", "photos/b.png", "photos/c.png"}) {
    png(name);
  }
  const Result result = classify(
      {"--json", "--limit", "1", png("x.png"), png("y.png"), path("photos"), idx({4, 4, 4})});
  const std::vector<Json> lines = parse_lines(result.out);
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0]["file"], path("x.png"));
  EXPECT_FALSE(lines[0].contains("truth"));
  EXPECT_EQ(lines[0]["predictions"].size(), 5u);
  EXPECT_EQ(lines[1]["file"], path("y.png"));
  EXPECT_EQ(lines[2]["file"], path("photos/a.png"));
  EXPECT_EQ(lines[3]["file"], path("idx"));
  EXPECT_EQ(lines[4]["summary"]["pictures"], 1);
}

// The set has the network's classes in another order.
TEST_F(ClassifyDatasets, FindsClassesByName) {
  std::filesystem::create_directory(path("cifar"));
  file("cifar/batches.meta.txt", "jaçanã\nibis\nhen\ngnu\nfox\neel\ndog\ncat\nbee\nant\n");
  file("cifar/test_batch.bin",
       '\x02' + std::string(3072, '\x50') + '\x09' + std::string(3072, '\x05'));
  const std::vector<Json> lines = parse_lines(classify({"--json", path("cifar")}).out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["truth"], Json::parse(R"({"index": 7, "label": "hen"})"));
  EXPECT_EQ(lines[1]["truth"], Json::parse(R"({"index": 0, "label": "ant"})"));
}

TEST_F(ClassifyDatasets, KnowsFashionMnistByItsWord) {
  rename(data::fashion_mnist_labels());
  idx({9, 0}, "share/datasets/fashion-mnist");
  const Result result = run({.arguments = with_weights({"--json", "fashion-mnist"}),
                             .environment = {{"XDG_DATA_DIRS", path("share")}}});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::vector<Json> lines = parse_lines(result.out);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["file"], "fashion-mnist");
  EXPECT_EQ(lines[0]["truth"], Json::parse(R"({"index": 9, "label": "Ankle boot"})"));
  EXPECT_EQ(lines[1]["truth"]["label"], "T-shirt/top");
}

TEST_F(ClassifyDatasets, SaysWhichClassIsNotTheNetworks) {
  idx({9, 0}, "share/datasets/fashion-mnist");
  const Result result = run({.arguments = with_weights({"fashion-mnist"}),
                             .environment = {{"XDG_DATA_DIRS", path("share")}}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err,
            "classify: fashion-mnist: its classes must be among the network's: it has T-shirt/top, "
            "the network 10 others: ant, ...\n");
  const Result many = classify({idx({10})});
  EXPECT_EQ(many.err, "classify: " + path("idx") +
                          ": its classes must be among the network's: it has class 0, the network "
                          "10 others: ant, ...\n");
}

TEST_F(ClassifyDatasets, SaysWhatIsMissing) {
  const Result none = run({.arguments = with_weights({"fashion-mnist"}),
                           .environment = {{"XDG_DATA_DIRS", path("nowhere")}}});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_EQ(none.err,
            "classify: fashion-mnist: is not installed: install Debian's package "
            "dataset-fashion-mnist, or name a folder\n");
  std::filesystem::rename(idx({1}) + "/t10k-images-idx3-ubyte.gz", path("elsewhere"));
  file("idx/train-images-idx3-ubyte", "");
  const Result split = classify({"--json", path("idx"), png("a.png")});
  EXPECT_EQ(split.exit_code, 1);
  EXPECT_EQ(split.err,
            "classify: open_idx: " + path("idx") +
                ": must hold t10k-images-idx3-ubyte, plain or with .gz: there is none\n");
  EXPECT_EQ(parse_lines(split.out).size(), 1u);
}

TEST_F(ClassifyDatasets, RefusesImpossibleNumbers) {
  const auto expect_refused = [&](const std::string& option, const std::string& value,
                                  const std::string& lowest) {
    const Result result = classify({option, value, png("a.png")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.err, "classify: " + option + ": must be a whole number from " + lowest +
                              " to 18446744073709551615: got '" + value +
                              "' (see classify --help)\n");
  };
  for (const std::string value : {"0", "-1", "some"}) {
    expect_refused("--limit", value, "1");
  }
  for (const std::string value : {"-1", "1.5", "dice"}) {
    expect_refused("--shuffle", value, "0");
  }
}

}  // namespace
}  // namespace lamina::test

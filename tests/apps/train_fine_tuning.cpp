// Training that starts from weights.
#include "models/load.h"
#include "tests/apps/train_fixture.h"

namespace lamina::test {
namespace {

class TrainFineTuning : public Train {
 protected:
  TrainFineTuning() { write_small_network(path("start.safetensors")); }

  Result tune(const std::string& out, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {
        data(),    "--out", path(out), "--init", path("start.safetensors"), "--epochs", "2",
        "--batch", "12",    "--lr",    "0.01"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run({.arguments = std::move(arguments), .program = LAMINA_TRAIN});
  }

  // Whether the tensors whose names begin so are those of the start.
  bool kept(const std::string& out, const std::string& prefix) const {
    const auto before = bits("start.safetensors");
    std::size_t same = 0;
    std::size_t all = 0;
    for (const auto& [name, values] : bits(out)) {
      if (name.starts_with(prefix)) {
        same += values == before.at(name) ? 1 : 0;
        ++all;
      }
    }
    EXPECT_TRUE(same == 0 || same == all) << prefix << ": " << same << " of " << all;
    return same == all;
  }
};

TEST_F(TrainFineTuning, ReplacesTheHead) {
  const Result result = tune("m.safetensors", {});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const models::Classifier made = models::read_classifier(path("m.safetensors"));
  EXPECT_EQ(made.net->options().classes, 3u);
  EXPECT_EQ(made.net->options().width, 0.1f);
  EXPECT_EQ(made.preprocessing.crop, 32u);
  EXPECT_EQ(made.preprocessing.resize, 40u);
  EXPECT_FALSE(kept("m.safetensors", "features.0.0.weight"));
}

TEST_F(TrainFineTuning, TrainsAHeadOnFeatures) {
  const Result result =
      tune("m.safetensors", {"--freeze", "backbone", "--epochs", "40", "--lr", "0.2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(kept("m.safetensors", "features."));
  EXPECT_NE(result.out.find("epoch 40/40"), std::string::npos) << result.out;
  EXPECT_NE(read_file(path("m.md")).find("| top-1 |"), std::string::npos);
}

TEST_F(TrainFineTuning, HeadsAgreeWithTheWholeNetwork) {
  ASSERT_EQ(tune("head.safetensors", {"--freeze", "backbone"}).exit_code, 0);
  const std::string card = read_file(path("head.md"));
  const std::string table = card.substr(card.find("\n| blue |") + 1, 200);
  const Result seen = run({.arguments = {"--weights", path("head.safetensors"), "--top", "1",
                                         "--json", path("pictures/val/blue")}});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  std::size_t blue = 0;
  for (std::size_t at = 0; (at = seen.out.find("\"label\":\"blue\"", at)) != std::string::npos;
       ++at) {
    ++blue;
  }
  EXPECT_TRUE(table.starts_with(text("| blue | ", blue, " |"))) << blue << '\n' << table;
}

TEST_F(TrainFineTuning, FreezesStages) {
  const Result result = tune("m.safetensors", {"--freeze", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const char* frozen : {"features.0.", "features.1.", "features.2.", "features.3."}) {
    EXPECT_TRUE(kept("m.safetensors", frozen)) << frozen;
  }
  for (const char* trained : {"features.4.conv.0.0.weight", "features.18.0.weight"}) {
    EXPECT_FALSE(kept("m.safetensors", trained)) << trained;
  }
}

TEST_F(TrainFineTuning, RefusesAnotherWidth) {
  const Result result = tune("m.safetensors", {"--width", "0.5"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.err,
            "train: width: must be that of the weights to start from: it is 0.5, that of " +
                path("start.safetensors") + " is 0.1\n");
}

TEST_F(TrainFineTuning, KeepsTheFileOfInit) {
  const Result result = tune("start.safetensors", {});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.err, "train: --out: " + path("start.safetensors") +
                            ": is the file of --init: it will not be replaced\n");
}

}  // namespace
}  // namespace lamina::test

// Training that starts from weights.
#include <nlohmann/json.hpp>

#include "models/load.h"
#include "tests/apps/train_fixture.h"
#include "tests/support/shared_data.h"

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

class TrainOnPhotos : public Train {
 protected:
  Result group_photos(std::vector<std::string> nouns) const {
    const std::filesystem::path tool =
        std::filesystem::path(LAMINA_SOURCE_ROOT) / "tools/group_photos.py";
    nouns.insert(nouns.begin(),
                 {"python3", tool, shared_data() / "imagenet/photos", path("photos")});
    return run({.arguments = std::move(nouns), .program = "/usr/bin/env"});
  }
  // How many of 8 held-out photos the head names rightly.
  std::size_t count_right(unsigned hold_out_seed) const {
    const Result result =
        run({.arguments = {path("photos"), "--init",
                           shared_data() / "imagenet/mobilenet_v2_1.0_224_tf.safetensors",
                           "--freeze", "backbone", "--hold-out", "8", "--hold-out-seed",
                           text(hold_out_seed), "--epochs", "60", "--lr", "0.01", "--batch", "16",
                           "--out", path("m.safetensors")},
             .program = LAMINA_TRAIN});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    const std::string log = read_file(path("m.jsonl"));
    const auto end = nlohmann::json::parse(log.substr(log.rfind('\n', log.size() - 2) + 1));
    return end["confusion"][0][0].get<std::size_t>() + end["confusion"][1][1].get<std::size_t>();
  }
};

TEST_F(TrainOnPhotos, LearnsMammalsAndDevices) {
  LAMINA_NEEDS_SHARED_DATA();
  const Result grouped = group_photos({"mammal", "device"});
  ASSERT_EQ(grouped.exit_code, 0) << grouped.err;
  EXPECT_EQ(grouped.out, "22 mammal, 14 device; 64 left out\n");
  std::size_t right = 0;
  for (unsigned seed = 0; seed < 5; ++seed) {
    right += count_right(seed);
  }
  EXPECT_GE(right, 31u) << "of 40; coins reach that once in 3000 times";
}

TEST_F(TrainOnPhotos, GroupsByTheNearestNoun) {
  LAMINA_NEEDS_SHARED_DATA();
  const Result grouped = group_photos({"animal", "dog", "device", "mouse.4"});
  ASSERT_EQ(grouped.exit_code, 0) << grouped.err;
  EXPECT_EQ(grouped.out, "28 animal, 12 dog, 13 device, 1 mouse.4; 46 left out\n");
  EXPECT_TRUE(exists("photos/dog/n02085936_Maltese_dog.JPEG"));
  EXPECT_TRUE(exists("photos/mouse/n03793489_mouse.JPEG"));
  EXPECT_EQ(group_photos({"dog"}).err, path("photos") + ": exists: name a folder to make\n");
}

TEST_F(TrainOnPhotos, NamesWhatIsNoNoun) {
  LAMINA_NEEDS_SHARED_DATA();
  EXPECT_EQ(group_photos({"dgo"}).err, "dgo: must be a noun of WordNet: dgo has 0 senses\n");
}

}  // namespace
}  // namespace lamina::test

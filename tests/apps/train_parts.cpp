// The parts of train, each by itself.
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <set>

#include "apps/support/exit_code.h"
#include "apps/train/confusion.h"
#include "apps/train/display.h"
#include "apps/train/evaluation.h"
#include "apps/train/fault.h"
#include "apps/train/head_only.h"
#include "apps/train/ingredients.h"
#include "apps/train/log.h"
#include "apps/train/recipe.h"
#include "core/error.h"
#include "models/mobilenet_v2.h"
#include "nn/init.h"
#include "tests/support/folder.h"

namespace lamina::apps {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(RankOf, CountsWhatIsAhead) {
  const float logits[] = {1.0f, 3.0f, 2.0f, 3.0f};
  EXPECT_EQ(rank_of(logits, 4, 0), 3u);
  EXPECT_EQ(rank_of(logits, 4, 1), 0u);
  EXPECT_EQ(rank_of(logits, 4, 2), 2u);
  EXPECT_EQ(rank_of(logits, 4, 3), 1u) << "equal ones by index";
  const float broken[] = {kNan, 1.0f, kNan};
  EXPECT_EQ(rank_of(broken, 3, 1), 0u);
  EXPECT_EQ(rank_of(broken, 3, 0), 1u);
  EXPECT_EQ(rank_of(broken, 3, 2), 2u);
}

Features numbered_features(std::size_t count) {
  Features features{Tensor::uninitialized({count, 2}), {}};
  for (std::size_t i = 0; i < count; ++i) {
    features.values.data()[2 * i] = features.values.data()[2 * i + 1] = static_cast<float>(i);
    features.labels.push_back(static_cast<std::uint32_t>(i % 3));
  }
  return features;
}

TEST(FeatureSource, HandsOutEveryPictureOnceAnEpoch) {
  FeatureSource source(numbered_features(10), {.batch = 4, .seed = 5});
  EXPECT_EQ(source.batches(), 3u);
  EXPECT_EQ(source.pictures(), 10u);
  std::vector<std::vector<float>> epochs;
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    std::vector<float> seen;
    while (const auto batch = source.next()) {
      for (std::size_t i = 0; i < batch->labels.size(); ++i) {
        const float value = batch->images.values()[2 * i];
        EXPECT_EQ(batch->labels[i], static_cast<std::uint32_t>(value) % 3);
        seen.push_back(value);
      }
    }
    EXPECT_EQ(std::set<float>(seen.begin(), seen.end()).size(), 10u);
    epochs.push_back(seen);
  }
  EXPECT_NE(epochs[0], epochs[1]);
  source.seek({0, 1});
  EXPECT_EQ(source.next()->images.values()[0], epochs[0][4]);
  FeatureSource dropping(numbered_features(10), {.batch = 4, .drop_last = true});
  EXPECT_EQ(dropping.batches(), 2u);
  EXPECT_EQ(dropping.pictures(), 8u);
}

TEST(Evaluate, AveragesOverPictures) {
  FeatureSource source(numbered_features(7),
                       {.batch = 3, .order = FeatureSource::Order::as_they_are});
  // Always sure of class 0, with odds of e^2 : 1 : 1.
  const auto scores = evaluate(source, 3, [](const Tensor& x) {
    Tensor logits = Tensor::zeros({x.shape()[0], 3});
    for (std::size_t i = 0; i < logits.size(); i += 3) {
      logits.data()[i] = 2.0f;
    }
    return logits;
  });
  ASSERT_TRUE(scores.has_value());
  EXPECT_EQ(scores->pictures, 7u);
  EXPECT_NEAR(scores->top1, 3.0 / 7, 1e-12);
  EXPECT_EQ(scores->top5, 1.0);
  const double other = std::log(std::exp(2.0) + 2.0);
  EXPECT_NEAR(scores->loss, (3 * (other - 2.0) + 4 * other) / 7, 1e-12);
  EXPECT_EQ(scores->confusion,
            (std::vector<std::vector<std::size_t>>{{3, 0, 0}, {2, 0, 0}, {2, 0, 0}}));
}

TEST(Confusions, AreOrderedByPictures) {
  const ConfusionMatrix matrix = {{5, 3, 2}, {0, 0, 0}, {3, 1, 0}};
  const auto worst = worst_confusions(matrix, 3);
  ASSERT_EQ(worst.size(), 3u);
  EXPECT_EQ(worst[0].label, 0u);
  EXPECT_EQ(worst[0].prediction, 1u);
  EXPECT_EQ(worst[0].pictures, 3u);
  EXPECT_EQ(worst[0].share, 0.3);
  EXPECT_EQ(worst[1].label, 2u);
  EXPECT_EQ(worst[1].share, 0.75);
  EXPECT_EQ(worst[2].pictures, 2u);
  EXPECT_EQ(recalls(matrix), (std::vector<std::optional<double>>{0.5, std::nullopt, 0.0}));
  EXPECT_EQ(lowest_recalls(matrix, 5), (std::vector<std::size_t>{2, 0}));
}

TEST(RecipeSettings, ReadBackWhatTheyPrint) {
  Recipe recipe;
  recipe.rate = 0.1 + 0.2;
  recipe.epochs = 17;
  recipe.about = "quotes \" and \n";
  recipe.augment = "flip=0.5";
  EXPECT_EQ(parse_recipe(as_json(recipe)), recipe);
  EXPECT_EQ(first_difference(recipe, recipe), nullptr);
  Recipe other = recipe;
  other.seed = 1;
  ASSERT_NE(first_difference(recipe, other), nullptr);
  EXPECT_STREQ(first_difference(recipe, other)->name, "seed");
}

TEST(RecipeSettings, DefaultsAreInRange) {
  for (const Setting& setting : settings()) {
    Recipe recipe;
    EXPECT_NO_THROW(assign(recipe, setting, value_of(recipe, setting))) << setting.name;
    EXPECT_EQ(recipe, Recipe{}) << setting.name;
  }
}

TEST(Recipes, AllInTheRepositoryAreValid) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(
           std::filesystem::path(LAMINA_SOURCE_ROOT) / "models/recipes")) {
    Recipe recipe;
    EXPECT_NO_THROW({
      read_config(entry.path(), recipe);
      check_recipe(recipe);
    }) << entry.path();
    EXPECT_FALSE(recipe.about.empty()) << entry.path();
    ++count;
  }
  EXPECT_GE(count, 5u);
}

TEST(Ingredients, TranslateAugmentation) {
  Recipe recipe;
  recipe.augment = "crop=0.2,crop-ratio=0.5,flip=0.5,shift=3,trivial=1,hue=0.1,erasing=0.25";
  const data::Augmentation made = augmentation_of(recipe);
  ASSERT_TRUE(made.crop.has_value());
  EXPECT_EQ(made.crop->min_scale, 0.2f);
  EXPECT_EQ(made.crop->min_ratio, 0.5f);
  EXPECT_EQ(made.crop->max_ratio, 2.0f);
  EXPECT_EQ(made.flip, 0.5f);
  EXPECT_EQ(made.shift, 3u);
  EXPECT_EQ(made.trivial, 1.0f);
  EXPECT_EQ(made.jitter.hue, 0.1f);
  EXPECT_EQ(made.erasing.probability, 0.25f);
  recipe.augment = "none";
  EXPECT_FALSE(augmentation_of(recipe).crop.has_value());
}

TEST(Log, IsCutWhereACheckpointSays) {
  const test::Folder folder;
  const LogEntry entry{.step = 1,
                       .epoch = 0.5,
                       .loss = 2.0,
                       .top1 = 0.25,
                       .rate = 0.1,
                       .images_per_second = 100.0,
                       .seconds = 3.0};
  std::uint64_t kept = 0;
  {
    Log log(folder / "log", 0);
    log.start({.data = "pictures", .recipe = "{}"});
    log.write(entry);
    kept = log.sync();
    log.write(entry);
    log.sync();
  }
  Log(folder / "log", kept).write({.step = 2, .validation = LogEntry::Validation{1.0, 0.5, 1.0}});
  const LogEntries entries = read_log(folder / "log");
  ASSERT_EQ(entries.steps.size(), 1u);
  EXPECT_EQ(entries.steps[0].loss, 2.0);
  EXPECT_EQ(entries.steps[0].epoch, 0.5);
  ASSERT_EQ(entries.epochs.size(), 1u);
  EXPECT_EQ(entries.epochs[0].validation->top1, 0.5);
}

TEST(Display, TellsTheEpoch) {
  EXPECT_EQ(progress_line({.epoch = 2,
                           .epochs = 10,
                           .batch = 50,
                           .batches = 100,
                           .loss = 0.5123,
                           .top1 = 0.8125,
                           .rate = 0.045,
                           .images_per_second = 2130.4,
                           .seconds_left = 125.0},
                          {.columns = 40}),
            "epoch 3/10 [#####     ] 50/100  2130 images/s  loss 0.512  top-1 81.2 %  rate 0.045  "
            "2 min 05 s left");
}

std::unique_ptr<models::MobileNetV2> tiny_network() {
  auto net = std::make_unique<models::MobileNetV2>(
      models::MobileNetV2Options{.classes = 3, .width = 0.1f, .stride = 8});
  Rng rng(1);
  nn::init_kaiming(*net, rng);
  return net;
}

Tensor input() { return Tensor::full({2, 16, 16, 3}, 0.5f); }

Tensor& find(models::MobileNetV2& net, const std::string& name) {
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    if (tensor.name == name) {
      return *tensor.value;
    }
  }
  throw Error("no tensor " + name);
}

TEST(Explain, NamesTheInput) {
  const auto net = tiny_network();
  Tensor x = input();
  x.data()[7] = kNan;
  EXPECT_EQ(explain(Fault::loss, *net, x),
            "the input is: 1 NaN and 0 infinite of 1536; the others from 0.5 to 0.5");
}

TEST(Explain, NamesTheParameter) {
  const auto net = tiny_network();
  Tensor& bias = find(*net, "features.3.conv.0.1.bias");
  bias.data()[0] = kNan;
  bias.data()[1] = HUGE_VALF;
  const std::string sentence = explain(Fault::loss, *net, input());
  EXPECT_TRUE(
      sentence.starts_with("parameter features.3.conv.0.1.bias is: 1 NaN and 1 infinite of "))
      << sentence;
}

TEST(Explain, NamesTheFirstLayer) {
  const auto net = tiny_network();
  for (const char* name : {"features.2.conv.2.weight", "features.2.conv.3.weight"}) {
    std::ranges::fill(find(*net, name).values(), 3e38f);  // finite, but not their products
  }
  const std::string sentence = explain(Fault::loss, *net, input());
  EXPECT_TRUE(sentence.starts_with("the output of features.2.conv.2 is: ")) << sentence;
}

TEST(Explain, NamesTheLastGradient) {
  const auto net = tiny_network();
  net->train();
  for (const char* name : {"features.1.conv.1.weight", "features.5.conv.2.weight"}) {
    Tensor& weight = find(*net, name);
    weight.set_grad(Tensor::full(weight.shape(), kNan));
  }
  const std::string sentence = explain(Fault::gradient, *net, input());
  EXPECT_TRUE(sentence.starts_with("the gradient of features.5.conv.2.weight is: ")) << sentence;
}

}  // namespace
}  // namespace lamina::apps

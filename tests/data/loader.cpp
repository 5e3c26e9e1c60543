#include "data/loader.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
#include <numeric>
#include <set>
#include <thread>

#include "data/dataset_memory.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

using data::Batch;
using data::Loader;
using data::LoaderOptions;
using data::LoaderPosition;

/// Gray pictures of 8 x 8 of three classes; counts those that are read.
class Counted : public data::Dataset {
 public:
  explicit Counted(std::size_t count) : count_(count) {}

  std::size_t size() const override { return count_; }
  const std::vector<std::string>& class_names() const override { return names_; }
  std::uint32_t label(std::size_t i) const override { return static_cast<std::uint32_t>(i % 3); }
  void read(std::size_t i, data::Image& image) const override {
    ++reads_;
    image = {8, 8, Bytes(8 * 8 * 3)};
    for (std::size_t p = 0; p < image.pixels.size(); ++p) {
      image.pixels[p] = static_cast<std::uint8_t>(i * 7 + p);
    }
  }
  std::string name(std::size_t i) const override { return std::to_string(i); }

  std::size_t reads() const { return reads_; }

 private:
  std::size_t count_;
  std::vector<std::string> names_ = {"a", "b", "c"};
  mutable std::atomic<std::size_t> reads_ = 0;
};

LoaderOptions everything() {
  return {.batch = 8,
          .seed = 5,
          .preprocessing = {.resize = 8, .crop = 8},
          .augmentation = {.crop = data::RandomResizedCrop{},
                           .jitter = {.brightness = 0.4f, .contrast = 0.4f, .hue = 0.1f},
                           .flip = 0.5f,
                           .shift = 2,
                           .erasing = {.probability = 0.5f, .fill = data::Fill::noise}},
          .mix = {.mixup = 0.2f, .cutmix = 1.0f, .probability = 0.7f}};
}

LoaderOptions plain() { return {.batch = 8, .preprocessing = {.resize = 8, .crop = 8}}; }

bool same_tensor(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

bool same_batch(const Batch& a, const Batch& b) {
  return same_tensor(a.images, b.images) && a.targets.shape() == b.targets.shape() &&
         (a.targets.empty() || same_tensor(a.targets, b.targets)) && a.labels == b.labels &&
         a.indices == b.indices;
}

std::vector<Batch> batches_of(Loader& loader, std::size_t epochs) {
  std::vector<Batch> batches;
  for (std::size_t epoch = 0; epoch < epochs; ++epoch) {
    for (const Batch& batch : loader) {
      batches.push_back(batch);
    }
  }
  return batches;
}

std::vector<std::size_t> indices_of(const std::vector<Batch>& batches) {
  std::vector<std::size_t> indices;
  for (const Batch& batch : batches) {
    indices.insert(indices.end(), batch.indices.begin(), batch.indices.end());
  }
  return indices;
}

TEST(Loader, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto set = std::make_shared<Counted>(43);
  LoaderOptions options = everything();
  options.threads = 0;
  Loader serial(set, options);
  const std::vector<Batch> want = batches_of(serial, 3);
  ASSERT_EQ(want.size(), 18u);
  EXPECT_TRUE(std::ranges::any_of(want, [](const Batch& b) { return b.targets.empty(); }));
  EXPECT_TRUE(std::ranges::any_of(want, [](const Batch& b) { return !b.targets.empty(); }));
  for (const std::size_t threads : {1u, 2u, 4u, 9u}) {
    for (const std::size_t prefetch : {0u, 1u, 6u}) {
      options.threads = threads;
      options.prefetch = prefetch;
      Loader loader(set, options);
      const std::vector<Batch> got = batches_of(loader, 3);
      EXPECT_TRUE(std::ranges::equal(got, want, same_batch)) << threads << " threads";
    }
  }
}

TEST(Loader, WithoutShufflingKeepsTheOrder) {
  LoaderOptions options = plain();
  options.shuffle = false;
  Loader loader(std::make_shared<Counted>(19), options);
  EXPECT_EQ(loader.batches(), 3u);
  for (int epoch = 0; epoch < 2; ++epoch) {
    const std::vector<Batch> batches = batches_of(loader, 1);
    std::vector<std::size_t> want(19);
    std::iota(want.begin(), want.end(), std::size_t{0});
    EXPECT_EQ(indices_of(batches), want);
    EXPECT_EQ(batches[2].images.shape(), (Shape{3, 8, 8, 3}));
    EXPECT_EQ(batches[2].labels, (std::vector<std::uint32_t>{1, 2, 0}));
    const data::Image image = Counted(19).image(17);
    const Tensor want_image = data::preprocess(image, options.preprocessing);
    EXPECT_TRUE(std::equal(want_image.values().begin(), want_image.values().end(),
                           batches[2].images.data() + 192));
  }
}

TEST(Loader, ShufflesEachEpochAnew) {
  Loader loader(std::make_shared<Counted>(100), plain());
  std::set<std::vector<std::size_t>> orders;
  for (int epoch = 0; epoch < 4; ++epoch) {
    std::vector<std::size_t> indices = indices_of(batches_of(loader, 1));
    orders.insert(indices);
    std::ranges::sort(indices);
    std::vector<std::size_t> want(100);
    std::iota(want.begin(), want.end(), std::size_t{0});
    EXPECT_EQ(indices, want);
  }
  LoaderOptions other = plain();
  other.seed = 1;
  Loader seeded(std::make_shared<Counted>(100), other);
  orders.insert(indices_of(batches_of(seeded, 1)));
  EXPECT_EQ(orders.size(), 5u);
}

TEST(Loader, EveryOrderIsEquallyLikely) {
  LoaderOptions options = plain();
  options.threads = 0;
  Loader loader(std::make_shared<Counted>(4), options);
  std::map<std::vector<std::size_t>, int> times;
  for (int epoch = 0; epoch < 4800; ++epoch) {
    ++times[loader.next()->indices];
    loader.next();
  }
  EXPECT_EQ(times.size(), 24u);
  for (const auto& [order, count] : times) {
    EXPECT_NEAR(count, 200, 5 * std::sqrt(200.0));
  }
}

TEST(Loader, AugmentsEachPictureAnewEachEpoch) {
  LoaderOptions options = everything();
  options.shuffle = false;
  options.mix = {};
  Loader loader(std::make_shared<Counted>(8), options);
  const std::vector<Batch> batches = batches_of(loader, 2);
  EXPECT_FALSE(same_tensor(batches[0].images, batches[1].images));
  // A picture's changes are those of its number, whatever batch it comes in.
  options.batch = 3;
  Loader threes(std::make_shared<Counted>(8), options);
  const Batch first = *threes.next(), second = *threes.next();
  EXPECT_EQ(std::memcmp(second.images.data(), batches[0].images.data() + 3 * 192,
                        3 * 192 * sizeof(float)),
            0);
}

TEST(Loader, AugmentsEachPictureOfABatchInItsOwnWay) {
  const data::Image picture = sample_picture(8, 8);
  data::MemoryDataset::Contents same{
      .height = 8, .width = 8, .labels = {0, 0, 0, 0}, .class_names = {"same"}};
  for (std::size_t i = 0; i < same.labels.size(); ++i) {
    same.pixels.insert(same.pixels.end(), picture.pixels.begin(), picture.pixels.end());
  }
  LoaderOptions options = everything();
  options.mix = {};
  Loader loader(std::make_shared<data::MemoryDataset>(std::move(same)), options);
  const Batch batch = *loader.next();
  for (std::size_t i = 1; i < 4; ++i) {
    const float* image = batch.images.data() + i * 192;
    EXPECT_NE(std::memcmp(image - 192, image, 192 * sizeof(float)), 0) << i;
  }
}

/// Takes a millisecond for each picture.
class Slow : public Counted {
 public:
  using Counted::Counted;
  void read(std::size_t i, data::Image& image) const override {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    Counted::read(i, image);
  }
};

TEST(Loader, SeekLeavesUnfinishedBatchesBehind) {
  LoaderOptions options = plain();
  options.shuffle = false;
  Loader loader(std::make_shared<Slow>(80), options);
  for (std::size_t batch = 0; batch < 5; ++batch) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    loader.seek({0, batch});
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    loader.seek({0, batch});
    std::vector<std::uint32_t> want;
    for (std::size_t i = 8 * batch; i < 8 * batch + 8; ++i) {
      want.push_back(static_cast<std::uint32_t>(i % 3));
    }
    EXPECT_EQ(loader.next()->labels, want);
  }
}

TEST(Loader, SeekResumesAnywhere) {
  const auto set = std::make_shared<Counted>(43);
  for (const std::size_t threads : {0u, 2u}) {
    LoaderOptions options = everything();
    options.threads = threads;
    Loader whole(set, options);
    const std::vector<Batch> want = batches_of(whole, 3);
    Loader loader(set, options);
    for (const LoaderPosition from : {LoaderPosition{2, 4}, {0, 0}, {1, 5}, {1, 6}, {0, 6}}) {
      loader.next();
      loader.seek(from);
      EXPECT_EQ(loader.position(), from);
      std::size_t step = from.epoch * 6 + from.batch;
      for (std::size_t epoch = from.epoch; epoch < 3; ++epoch) {
        for (const Batch& batch : loader) {
          ASSERT_TRUE(same_batch(batch, want[step])) << step;
          ++step;
          EXPECT_EQ(loader.position(), (LoaderPosition{epoch, step - epoch * 6}));
        }
        EXPECT_EQ(loader.position(), (LoaderPosition{epoch + 1, 0}));
      }
      EXPECT_EQ(step, 18u);
    }
  }
}

TEST(Loader, DropsTheLastBatchWhenAsked) {
  LoaderOptions options = plain();
  options.drop_last = true;
  Loader loader(std::make_shared<Counted>(23), options);
  EXPECT_EQ(loader.batches(), 2u);
  EXPECT_EQ(batches_of(loader, 2).size(), 4u);
  Loader full(std::make_shared<Counted>(24), options);
  EXPECT_EQ(full.batches(), 3u);
}

TEST(Loader, EndsAfterTheEpochsAsked) {
  for (const std::size_t threads : {0u, 2u}) {
    const auto set = std::make_shared<Counted>(20);
    LoaderOptions options = plain();
    options.threads = threads;
    options.epochs = 2;
    Loader loader(set, options);
    EXPECT_EQ(batches_of(loader, 2).size(), 6u);
    EXPECT_FALSE(loader.next());
    EXPECT_FALSE(loader.next());
    EXPECT_EQ(set->reads(), 40u);
  }
}

TEST(Loader, MakesNoMoreAheadThanAsked) {
  const auto set = std::make_shared<Counted>(1000);
  LoaderOptions options = plain();
  options.threads = 2;
  options.prefetch = 3;
  Loader loader(set, options);
  for (std::size_t taken = 1; taken <= 3; ++taken) {
    loader.next();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_LE(set->reads(), (taken + 3) * 8);
  }
}

TEST(Loader, EndsWhileThreadsAreAtWork) {
  for (int round = 0; round < 50; ++round) {
    LoaderOptions options = everything();
    options.threads = 3;
    Loader loader(std::make_shared<Counted>(500), options);
    for (int i = 0; i < round % 4; ++i) {
      loader.next();
    }
    if (round % 3 == 0) {
      loader.seek({static_cast<std::size_t>(round), 7});
    }
  }
}

void write_picture(const std::filesystem::path& path) {
  const data::Image picture = sample_picture(8, 8);
  const Bytes bytes = encode(PngSample{
      .height = 8, .width = 8, .samples = {picture.pixels.begin(), picture.pixels.end()}});
  write_file(path, {bytes.begin(), bytes.end()});
}

TEST(Loader, RethrowsWhatAFileIsBrokenBy) {
  const Folder folder;
  std::filesystem::create_directories(folder / "class");
  for (const char* name : {"1.png", "2.png", "4.png", "5.png", "6.png"}) {
    write_picture(folder / "class" / name);
  }
  const std::string broken = (folder / "class/3.png").string();
  write_file(broken, "not a picture");
  for (const std::size_t threads : {0u, 1u, 3u}) {
    LoaderOptions options = plain();
    options.batch = 2;
    options.shuffle = false;
    options.threads = threads;
    Loader loader(data::open_dataset(folder.path()), options);
    EXPECT_EQ(loader.next()->indices, (std::vector<std::size_t>{0, 1}));
    for (int i = 0; i < 2; ++i) {
      expect_error([&] { loader.next(); }, "decode_image: " + broken +
                                               ": is neither a PNG nor a JPEG: begins with 6e 6f "
                                               "74 20");
      EXPECT_EQ(loader.position(), (LoaderPosition{0, 1}));
    }
    loader.seek({0, 2});
    EXPECT_EQ(loader.next()->indices, (std::vector<std::size_t>{4, 5}));
    EXPECT_FALSE(loader.next());
  }
  std::filesystem::remove(broken);
  std::filesystem::create_symlink("nowhere", broken);
  Loader loader(data::open_dataset(folder.path()), plain());
  expect_error([&] { loader.next(); },
               "read_image: " + broken + ": cannot be opened: No such file or directory");
}

TEST(Loader, Errors) {
  const auto expect_refused = [](std::size_t count, auto change, const std::string& message) {
    LoaderOptions options = plain();
    change(options);
    expect_error([&] { Loader(std::make_shared<Counted>(count), options); }, message);
  };
  expect_refused(
      0, [](auto&) {}, "Loader: the set must have pictures: there is none");
  expect_refused(
      9, [](auto& o) { o.batch = 0; }, "Loader: batch must be positive: 0");
  expect_refused(
      9, [](auto& o) { o.threads = 1025; }, "Loader: threads must be at most 1024: 1025");
  expect_refused(
      7, [](auto& o) { o.drop_last = true; },
      "Loader: with drop_last, a batch must not be larger than the set: 8 of 7 pictures");
  expect_refused(
      9, [](auto& o) { o.mix.mixup = -1.0f; }, "Mix: mixup must be at least 0: -1");
  expect_refused(
      9, [](auto& o) { o.augmentation.flip = -1.0f; },
      "Augmentation: flip must be a probability, 0 to 1: -1");
  Loader loader(std::make_shared<Counted>(9), plain());
  const std::string rule = "Loader::seek: there must be such a batch: ";
  expect_error(
      [&] {
        loader.seek({1, 3});
      },
      rule + "epoch 1, batch 3, with 2 batches in each of 1048576 epochs");
  expect_error(
      [&] {
        loader.seek({1048576, 0});
      },
      rule + "epoch 1048576, batch 0, with 2 batches in each of 1048576 epochs");
}

}  // namespace
}  // namespace lamina::test

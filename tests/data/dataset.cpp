#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

#include "data/cifar.h"
#include "data/dataset_memory.h"
#include "tests/data/idx_files.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

namespace fs = std::filesystem;
using data::Split;

std::string png_file(std::size_t height, std::size_t width) {
  const data::Image picture = sample_picture(height, width);
  const Bytes bytes = encode(PngSample{.height = static_cast<std::uint32_t>(height),
                                       .width = static_cast<std::uint32_t>(width),
                                       .samples = {picture.pixels.begin(), picture.pixels.end()}});
  return {bytes.begin(), bytes.end()};
}

void write_png_file(const fs::path& path, std::size_t height, std::size_t width) {
  fs::create_directories(path.parent_path());
  write_file(path, png_file(height, width));
}

data::DatasetHandle numbered(std::size_t count) {
  data::MemoryDataset::Contents contents{
      .height = 1, .width = 1, .channels = 1, .class_names = {"even", "odd"}, .name = "numbers"};
  for (std::size_t i = 0; i < count; ++i) {
    contents.pixels.push_back(static_cast<std::uint8_t>(i));
    contents.labels.push_back(static_cast<std::uint32_t>(i % 2));
  }
  return std::make_shared<data::MemoryDataset>(std::move(contents));
}

void expect_open_error(const fs::path& folder, const std::string& message, Split split) {
  expect_error([&] { data::open_dataset(folder, {.split = split}); }, message);
}

TEST(MemoryDataset, ExpandsGrayIntoTheSameMemory) {
  const data::MemoryDataset set({.height = 1,
                                 .width = 2,
                                 .channels = 1,
                                 .pixels = {1, 2, 3, 4},
                                 .labels = {0, 0},
                                 .class_names = {"a"}});
  data::Image image;
  set.read(0, image);
  const std::uint8_t* memory = image.pixels.data();
  set.read(1, image);
  EXPECT_EQ(image.pixels, (Bytes{3, 3, 3, 4, 4, 4}));
  EXPECT_EQ(image.pixels.data(), memory);
}

TEST(MemoryDataset, Errors) {
  data::MemoryDataset::Contents good{.height = 1,
                                     .width = 2,
                                     .pixels = Bytes(12),
                                     .labels = {0, 1},
                                     .class_names = {"a", "b"},
                                     .name = "set"};
  EXPECT_EQ(data::MemoryDataset(good).size(), 2u);
  const auto expect_refused = [&](auto change, const std::string& message) {
    data::MemoryDataset::Contents bad = good;
    change(bad);
    expect_error([&] { data::MemoryDataset{bad}; }, "MemoryDataset: set: " + message);
  };
  expect_refused([](auto& c) { c.labels.clear(); }, "there must be a picture: there is none");
  expect_refused([](auto& c) { c.channels = 2; }, "pictures must have 1 or 3 channels: have 2");
  const std::string rule = "there must be a byte for each value: 2 pictures of ";
  expect_refused([](auto& c) { c.pixels.pop_back(); }, rule + "1 x 2 x 3, 11 bytes");
  expect_refused([](auto& c) { c.height = 0; }, rule + "0 x 2 x 3, 12 bytes");
  expect_refused([](auto& c) { c.width = std::size_t{1} << 63; },
                 rule + "1 x 9223372036854775808 x 3, 12 bytes");
  expect_refused([](auto& c) { c.channels = 1; }, rule + "1 x 2 x 1, 12 bytes");
  expect_refused([](auto& c) { c.labels[1] = 2; },
                 "picture 1: labels must be below the number of classes: 2 of 2");
}

TEST(Subset, IsThePicturesOfTheIndices) {
  const data::Subset subset(numbered(10), {7, 2, 7});
  ASSERT_EQ(subset.size(), 3u);
  EXPECT_EQ(subset.image(0).pixels, (Bytes{7, 7, 7}));
  EXPECT_EQ(subset.image(1).pixels, (Bytes{2, 2, 2}));
  EXPECT_EQ(subset.label(2), 1u);
  EXPECT_EQ(subset.name(1), "numbers: picture 2");
  EXPECT_EQ(subset.class_names(), (std::vector<std::string>{"even", "odd"}));
  expect_error(
      [] {
        data::Subset(numbered(10), {3, 10});
      },
      "Subset: indices must be below the number of pictures: 10 of 10");
}

TEST(HoldOut, CutsTheSetInTwoAsTheSeedSays) {
  const data::DatasetHandle set = numbered(100);
  const data::HoldOut cut = data::hold_out(set, 30, 5);
  EXPECT_EQ(cut.held_out->size(), 30u);
  std::vector<std::size_t> all = cut.rest->indices();
  EXPECT_TRUE(std::ranges::is_sorted(all));
  EXPECT_TRUE(std::ranges::is_sorted(cut.held_out->indices()));
  all.insert(all.end(), cut.held_out->indices().begin(), cut.held_out->indices().end());
  std::ranges::sort(all);
  std::vector<std::size_t> want(100);
  std::iota(want.begin(), want.end(), std::size_t{0});
  EXPECT_EQ(all, want);
  EXPECT_EQ(data::hold_out(set, 30, 5).held_out->indices(), cut.held_out->indices());
  EXPECT_NE(data::hold_out(set, 30, 6).held_out->indices(), cut.held_out->indices());
}

TEST(HoldOut, ChoosesAllPicturesEquallyOften) {
  const data::DatasetHandle set = numbered(20);
  std::vector<double> times(20);
  constexpr std::size_t kRounds = 4000;
  for (std::uint64_t seed = 0; seed < kRounds; ++seed) {
    const data::HoldOut cut = data::hold_out(set, 5, seed);
    for (const std::size_t index : cut.held_out->indices()) {
      ++times[index];
    }
  }
  for (const double count : times) {
    EXPECT_NEAR(count / kRounds, 0.25, 5 * std::sqrt(0.25 * 0.75 / kRounds));
  }
}

TEST(HoldOut, Errors) {
  const std::string rule = "hold_out: there must be pictures to hold out and some must be left: ";
  expect_error([] { data::hold_out(numbered(3), 0, 1); }, rule + "0 of 3");
  expect_error([] { data::hold_out(numbered(3), 3, 1); }, rule + "3 of 3");
}

TEST(OpenDataset, FindsTheForm) {
  const Folder idx, cifar, pictures;
  write_idx_files(idx.path());
  EXPECT_EQ(data::open_dataset(idx.path())->size(), 6u);
  for (const char* name : {"1", "2", "3", "4", "5"}) {
    write_file(cifar / ("data_batch_" + std::string(name) + ".bin"), std::string(3073, '\x05'));
  }
  const data::DatasetHandle batches = data::open_dataset(cifar.path());
  EXPECT_EQ(batches->size(), 5u);
  EXPECT_EQ(batches->class_names().at(5), "class 5");
  EXPECT_EQ(batches->name(2), cifar.path().string() + " (train): picture 2");
  write_png_file(pictures / "cat/a.png", 4, 5);
  EXPECT_EQ(data::open_dataset(pictures.path())->image(0).pixels, sample_picture(4, 5).pixels);
}

TEST(OpenDataset, Errors) {
  const Folder folder;
  const std::string none = (folder / "none").string(), file = (folder / "file").string();
  expect_open_error(none, "open_dataset: " + none + ": must be a folder: there is none",
                    Split::train);
  write_file(file, "");
  expect_open_error(file, "open_dataset: " + file + ": must be a folder: it is something else",
                    Split::train);
  expect_open_error(folder.path(),
                    "open_image_folder: " + folder.path().string() +
                        ": must hold a folder of pictures for each class, or IDX or CIFAR-10 "
                        "files: there is none",
                    Split::train);
}

TEST(Cifar, MalformedFilesAreErrors) {
  const Folder folder;
  const std::string path = (folder / "test_batch.bin").string();
  const auto expect_refused = [&](const std::string& bytes, const std::string& message) {
    write_file(path, bytes);
    expect_open_error(folder.path(), "open_cifar: " + path + ": " + message, Split::test);
  };
  expect_refused("", "must have 3073 bytes for each picture: has 0 bytes");
  expect_refused(std::string(6145, '\0'), "must have 3073 bytes for each picture: has 6145 bytes");
  std::string bytes(6146, '\0');
  bytes[3073] = 10;
  expect_refused(bytes, "labels must be below 10: the one at byte 3073 is 10");
  const std::string names = (folder / "batches.meta.txt").string();
  write_file(names, "cat\ndog\n");
  expect_open_error(
      folder.path(),
      "open_cifar: " + names + ": must have 10 lines, the names of the classes: has 2",
      Split::test);
  const std::string missing = (folder / "data_batch_1.bin").string();
  fs::remove(names);
  expect_open_error(folder.path(),
                    "open_cifar: " + missing + ": cannot be opened: No such file or directory",
                    Split::train);
}

TEST(ImageFolder, SplitsAreFoldersWithTrainsClasses) {
  const Folder folder;
  write_png_file(folder / "train/ant/1.png", 2, 2);
  write_png_file(folder / "train/bee/1.png", 3, 3);
  write_png_file(folder / "train/bee/2.png", 4, 4);
  write_png_file(folder / "val/bee/9.png", 5, 5);
  write_png_file(folder / "test/ant/8.png", 6, 6);
  fs::create_directories(folder / "train/.hidden");
  write_file(folder / "train/bee/notes.txt", "");
  const auto train = data::open_dataset(folder.path());
  EXPECT_EQ(train->size(), 3u);
  EXPECT_EQ(train->name(2), (folder / "train/bee/2.png").string());
  const auto test = data::open_dataset(folder.path(), {.split = Split::test});
  ASSERT_EQ(test->size(), 1u);
  EXPECT_EQ(test->class_names(), (std::vector<std::string>{"ant", "bee"}));
  EXPECT_EQ(test->label(0), 1u);
  EXPECT_EQ(test->image(0).height, 5u);
  EXPECT_EQ(data::open_dataset(folder.path(), {.split = Split::all})->size(), 4u);
  fs::remove_all(folder / "val");
  EXPECT_EQ(data::open_dataset(folder.path(), {.split = Split::test})->label(0), 0u);
}

TEST(ImageFolder, AClassMayBeCalledTrain) {
  const Folder folder;
  write_png_file(folder / "plane/1.png", 2, 2);
  write_png_file(folder / "train/1.png", 2, 2);
  EXPECT_EQ(data::open_dataset(folder.path())->class_names(),
            (std::vector<std::string>{"plane", "train"}));
}

TEST(ImageFolder, Errors) {
  const Folder folder;
  const std::string prefix = "open_image_folder: ", root = folder.path().string();
  write_png_file(folder / "ant/1.png", 2, 2);
  expect_open_error(
      folder.path(),
      prefix + root + ": must have a folder val or test with classes inside: there is none",
      Split::test);
  fs::create_directories(folder / "bee");
  write_file(folder / "bee/notes.txt", "no picture");
  expect_open_error(folder.path(),
                    prefix + (folder / "bee").string() +
                        ": a class must have a picture (.png, .jpg or .jpeg): there is none",
                    Split::train);
  write_png_file(folder / "val/wasp/1.png", 2, 2);
  expect_open_error(folder.path(),
                    prefix + root + ": must have a folder train with classes inside: there is none",
                    Split::train);
  write_png_file(folder / "train/ant/1.png", 2, 2);
  expect_open_error(folder.path(),
                    prefix + (folder / "val/wasp").string() +
                        ": must be one of the classes to train with: there is no wasp among the 1",
                    Split::test);
}

}  // namespace
}  // namespace lamina::test

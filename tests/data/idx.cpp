#include "data/idx.h"

#include <cstdlib>
#include <gtest/gtest.h>

#include "tests/data/idx_files.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"

namespace lamina::test {
namespace {

namespace fs = std::filesystem;

class Idx : public testing::Test {
 protected:
  void expect_read_error(const std::string& bytes, const std::string& message,
                         std::size_t rank = 1) {
    const fs::path path = folder_ / "file";
    write_file(path, bytes);
    expect_error([&] { data::read_idx(path, rank); }, "read_idx: " + path.string() + message);
  }

  void expect_open_error(const std::string& message, const data::DatasetOptions& options = {}) {
    expect_error([&] { data::open_idx(folder_.path(), options); }, "open_idx: " + message);
  }

  std::string path(const std::string& name) { return (folder_ / name).string(); }

  Folder folder_;
};

TEST_F(Idx, PlainAndCompressedAreTheSame) {
  const std::string bytes = idx_bytes({2, 1, 3}, "abcdef");
  for (const std::string& stored : {bytes, gzip(bytes)}) {
    write_file(folder_ / "file", stored);
    const data::IdxArray array = data::read_idx(folder_ / "file", 3);
    EXPECT_EQ(array.extents, (std::vector<std::size_t>{2, 1, 3}));
    EXPECT_EQ(std::string(array.values.begin(), array.values.end()), "abcdef");
  }
}

TEST_F(Idx, WrongMagicIsAnError) {
  const std::string rule = ": must begin with 0 0 8 1 (unsigned bytes, rank 1): begins with ";
  expect_read_error({0, 0, 8, 3, 0, 0, 0, 1, 7}, rule + "0 0 8 3");
  expect_read_error({0, 0, 9, 1, 0, 0, 0, 1, 7}, rule + "0 0 9 1");
  expect_read_error("PNG file", rule + "80 78 71 32");
  expect_read_error(gzip("\xff\xd8\xff\xe0 picture"), rule + "255 216 255 224");
  expect_error([&] { data::read_idx(folder_ / "file", 5); },
               "read_idx: the rank must be from 1 to 4: 5");
}

TEST_F(Idx, EveryTruncatedPlainFileIsAnError) {
  const std::string bytes = idx_bytes({2, 3}, "abcdef");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string after = std::to_string(size) + " bytes, ";
    const std::string ends = ": is truncated: ends after " + after + "at least ";
    const std::string fits = ": is truncated: declares 18 bytes, the file can hold at most ";
    expect_read_error(bytes.substr(0, size),
                      size < 4    ? ends + "4 expected"
                      : size < 12 ? ends + "12 expected"
                                  : fits + std::to_string(size),
                      2);
  }
}

TEST_F(Idx, EveryTruncatedGzipFileIsAnError) {
  std::string values;
  unsigned state = 1;
  for (int i = 0; i < 300; ++i) {
    values.push_back(static_cast<char>((state = state * 1664525u + 1013904223u) >> 24));
  }
  const std::string whole = gzip(idx_bytes({300}, values));
  write_file(folder_ / "file", whole);
  EXPECT_EQ(data::read_idx(folder_ / "file", 1).values.size(), 300u);
  for (std::size_t size = 2; size < whole.size(); ++size) {
    write_file(folder_ / "file", whole.substr(0, size));
    try {
      data::read_idx(folder_ / "file", 1);
      ADD_FAILURE() << size << " of " << whole.size() << " bytes were enough";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("truncated"), std::string::npos) << error.what();
    }
  }
}

TEST_F(Idx, DamagedGzipFilesAreErrors) {
  const std::string damaged = ": the gzip data is damaged, at byte 0 of what it holds or later: ";
  std::string bytes = gzip(idx_bytes({6}, "abcdef"));
  bytes[bytes.size() - 8] ^= 1;
  expect_read_error(bytes, damaged + "incorrect data check");
  bytes = gzip(idx_bytes({6}, "abcdef"));
  bytes[10] = '\xff';
  expect_read_error(bytes, damaged + "invalid block type");
}

TEST_F(Idx, RandomDamageIsAnErrorOrAnArray) {
  const std::string whole = gzip(idx_bytes({5, 4}, "abcdefghijklmnopqrst"));
  unsigned state = 1;
  const auto next = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
  for (unsigned round = 0; round < 2000; ++round) {
    std::string bytes = whole;
    for (unsigned i = 0; i < 1 + round % 3; ++i) {
      bytes[next() % bytes.size()] = static_cast<char>(next());
    }
    write_file(folder_ / "file", bytes);
    try {
      const data::IdxArray array = data::read_idx(folder_ / "file", 2);
      EXPECT_EQ(array.values.size(), array.extents[0] * array.extents[1]);
    } catch (const Error& error) {
      EXPECT_EQ(std::string(error.what()).rfind("read_idx: ", 0), 0u);
    }
  }
}

TEST_F(Idx, BombsEndAtWhatTheyDeclare) {
  const std::string zeros(10'000'000, '\0');
  expect_read_error(gzip(idx_bytes({2}, zeros)), ": must end after 10 bytes: has more");
  expect_read_error(idx_bytes({2}, "abc"), ": must end after 10 bytes: has more");
}

TEST_F(Idx, MoreThanTheFileCanHoldIsAnError) {
  const std::string declared = ": is truncated: declares 1000000008 bytes, ";
  expect_read_error(idx_bytes({1'000'000'000}, "abc"), declared + "the file can hold at most 11");
  const std::string packed = gzip(idx_bytes({1'000'000'000}, "abc"));
  expect_read_error(packed,
                    declared + "the file can hold at most " + std::to_string(packed.size() * 1032));
  expect_read_error(idx_bytes({70'000, 70'000}, ""),
                    ": must hold at most 4294967296 values: extent 1, at byte 8, is 70000", 2);
  expect_read_error(idx_bytes({3, 0}, ""), ": extents must be positive: extent 1, at byte 8, is 0",
                    2);
}

TEST_F(Idx, FilesThatCannotBeReadAreErrors) {
  expect_error([&] { data::read_idx(folder_ / "none", 1); },
               "read_idx: " + path("none") + ": cannot be opened: No such file or directory");
  expect_error([&] { data::read_idx(folder_.path(), 1); },
               "read_idx: " + folder_.path().string() + ": must be a regular file");
}

TEST_F(Idx, SplitsAreThePartsOfTheFolder) {
  write_idx_files(folder_.path());
  for (const auto& [split, size] :
       {std::pair(data::Split::train, 6u), {data::Split::test, 4u}, {data::Split::all, 10u}}) {
    const data::DatasetHandle set = data::open_idx(folder_.path(), {.split = split});
    ASSERT_EQ(set->size(), size);
    EXPECT_EQ(set->class_names(), (std::vector<std::string>{"class 0", "class 1", "class 2"}));
    const data::Image image = set->image(size - 1);
    EXPECT_EQ(image.height, 2u);
    EXPECT_EQ(image.width, 3u);
    const std::size_t first = 10 * (size == 6 ? 5 : 3);
    for (std::size_t i = 0; i < 18; ++i) {
      EXPECT_EQ(image.pixels[i], first + i / 3);
    }
    EXPECT_EQ(set->label(size - 1), (size == 6 ? 5u : 3u) % 3);
  }
  EXPECT_EQ(data::open_idx(folder_.path())->name(4),
            path("train-images-idx3-ubyte.gz") + ": picture 4");
}

TEST_F(Idx, ClassesAreThoseOfAllSplits) {
  write_idx_files(folder_.path(), {.train = 2, .test = 5, .classes = 5});
  EXPECT_EQ(data::open_idx(folder_.path())->classes(), 5u);
  const std::vector<std::string> names = {"a", "b", "c", "d", "e", "f"};
  EXPECT_EQ(data::open_idx(folder_.path(), {.class_names = names})->class_names(), names);
  expect_open_error(path("t10k-labels-idx1-ubyte") +
                        ": labels must be below the number of classes, 3: label 3 is 3",
                    {.split = data::Split::test, .class_names = {"a", "b", "c"}});
}

TEST_F(Idx, FashionMnistIsKnownByItsFolder) {
  const fs::path folder = folder_ / "datasets/fashion-mnist";
  fs::create_directories(folder);
  write_idx_files(folder);
  EXPECT_EQ(data::open_idx(folder)->class_names(), data::fashion_mnist_labels());
  EXPECT_EQ(data::open_idx(folder / "")->class_names().at(9), "Ankle boot");
  EXPECT_EQ(data::open_idx(folder / "." / ".." / "fashion-mnist")->classes(), 10u);
  const char* before = std::getenv("XDG_DATA_DIRS");
  const std::string kept = before != nullptr ? before : "";
  setenv("XDG_DATA_DIRS", ("/nowhere:" + folder_.path().string()).c_str(), 1);
  EXPECT_EQ(data::find_fashion_mnist(), folder);
  setenv("XDG_DATA_DIRS", "/nowhere", 1);
  EXPECT_EQ(data::find_fashion_mnist(), std::nullopt);
  before != nullptr ? setenv("XDG_DATA_DIRS", kept.c_str(), 1) : unsetenv("XDG_DATA_DIRS");
}

TEST_F(Idx, MissingFilesAreErrors) {
  write_idx_files(folder_.path());
  fs::remove(folder_ / "t10k-images-idx3-ubyte.gz");
  expect_open_error(folder_.path().string() +
                        ": must hold t10k-images-idx3-ubyte, plain or with .gz: there is none",
                    {.split = data::Split::test});
  fs::remove(folder_ / "train-labels-idx1-ubyte");
  expect_open_error(folder_.path().string() +
                    ": must hold train-labels-idx1-ubyte, plain or with .gz: there is none");
}

TEST_F(Idx, FilesThatDisagreeAreErrors) {
  write_idx_files(folder_.path());
  write_file(folder_ / "train-labels-idx1-ubyte", idx_bytes({5}, {0, 1, 2, 0, 1}));
  expect_open_error(path("train-images-idx3-ubyte.gz") +
                    ": must have a label for each picture: 6 pictures, 5 labels in " +
                    path("train-labels-idx1-ubyte"));
  write_idx_files(folder_.path());
  write_file(folder_ / "t10k-images-idx3-ubyte.gz", idx_bytes({4, 1, 2}, "abcdefgh"));
  expect_open_error(path("t10k-images-idx3-ubyte.gz") +
                        ": pictures must have one size: 1 x 2 and 2 x 3 in " +
                        path("train-images-idx3-ubyte.gz"),
                    {.split = data::Split::all});
}

}  // namespace
}  // namespace lamina::test

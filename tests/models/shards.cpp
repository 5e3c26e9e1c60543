#include <filesystem>
#include <gtest/gtest.h>

#include "models/checkpoint/safetensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

class Shards : public testing::Test {
 protected:
  Shards() {
    models::write_safetensors(folder_ / "1.safetensors",
                              {.tensors = {{"a", a_}, {"b", b_}}, .metadata = {{"one", "1"}}});
    models::write_safetensors(folder_ / "2.safetensors",
                              {.tensors = {{"c", c_}}, .metadata = {{"two", "2"}}});
  }

  std::string index(const std::string& map) const {
    const auto path = folder_ / "model.safetensors.index.json";
    test::write_file(path, R"({"metadata": {"total_size": 60}, "weight_map": )" + map + "}\n");
    return path.string();
  }

  void expect_refused(const std::string& map, const std::string& message) const {
    const std::string path = index(map);
    test::expect_error([&] { models::read_archive(path); }, "checkpoint: " + path + ": " + message);
  }

  const test::Folder folder_;
  const Tensor a_ = test::random_tensor({3}, 1), b_ = test::random_tensor({2, 2}, 2),
               c_ = test::random_tensor({8}, 3);
};

const std::string kMap = R"({"a": "1.safetensors", "b": "1.safetensors", "c": "2.safetensors"})";

TEST_F(Shards, AreReadTogether) {
  const models::Archive archive = models::read_archive(index(kMap));
  EXPECT_EQ(archive.container, "safetensors in 2 files");
  EXPECT_EQ(archive.metadata, (std::map<std::string, std::string>{{"one", "1"}, {"two", "2"}}));
  ASSERT_EQ(archive.tensors.size(), 3u);
  EXPECT_TRUE(test::same_bits(models::to_float(archive.tensors.at("a")), a_));
  EXPECT_TRUE(test::same_bits(models::to_float(archive.tensors.at("b")), b_));
  EXPECT_TRUE(test::same_bits(models::to_float(archive.tensors.at("c")), c_));
}

TEST_F(Shards, AreReadFromTheCurrentFolder) {
  index(kMap);
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_EQ(models::read_archive("model.safetensors.index.json").tensors.size(), 3u);
  std::filesystem::current_path(before);
}

TEST_F(Shards, MustBePlainNames) {
  for (const std::string name : {"../1.safetensors", "/etc/passwd", "", ".", "..", "x/1"}) {
    expect_refused(R"({"a": ")" + name + "\"}",
                   "its file \"" + name + "\" must be a plain name beside it");
  }
  expect_refused(R"({"a": "1.safetensors\u0000"})",
                 "its file \"1.safetensors\\u0000\" must be a plain name beside it");
}

TEST_F(Shards, MustBeRegularFiles) {
  std::filesystem::create_symlink(folder_ / "1.safetensors", folder_ / "link");
  expect_refused(R"({"a": "link"})", "its file \"link\" must not be a symbolic link");
  std::filesystem::create_directory(folder_ / "folder");
  expect_refused(R"({"a": "folder"})", "its file \"folder\" must be a regular file");
  expect_refused(R"({"a": "none"})",
                 "its file \"none\" cannot be opened: No such file or directory");
}

TEST_F(Shards, MustHoldWhatTheIndexSays) {
  expect_refused(
      R"({"a": "1.safetensors", "c": "2.safetensors"})",
      "its file \"1.safetensors\" must hold no other tensors than it says: it has \"b\"");
  expect_refused(R"({"a": "1.safetensors", "b": "1.safetensors", "c": "1.safetensors"})",
                 "its file \"1.safetensors\" must hold \"c\": it does not");
  expect_refused(R"({"a": "1.safetensors", "a": "2.safetensors"})",
                 "names must differ: \"a\" comes twice");
  expect_refused(R"({"a": 1})",
                 "weight_map must name a file for each tensor: \"a\" is of type number");
  expect_refused("3", "must be an index of tensors: it has no weight_map");
}

TEST_F(Shards, MayBeManyButNotTooMany) {
  std::string map = "{";
  for (int i = 0; i <= 1000; ++i) {
    map += text(i == 0 ? "" : ",", '"', i, "\":\"f", i, '"');
  }
  expect_refused(map + '}', "must have at most 1000 files: it has 1001");
}

TEST_F(Shards, OtherJsonIsRefused) {
  const auto path = folder_ / "config.json";
  test::write_file(path, R"({"architectures": ["MobileNetV2"]})");
  test::expect_error(
      [&] { models::read_archive(path); },
      "checkpoint: " + path.string() + ": must be an index of tensors: it has no weight_map");
}

}  // namespace
}  // namespace lamina

#include <filesystem>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"

namespace lamina::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> found_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : data::find_images(folder)) {
    names.push_back(path.lexically_relative(folder).string());
  }
  return names;
}

TEST(FindImages, WalksFoldersInOrder) {
  const Folder folder;
  fs::create_directories(folder / "b/c");
  fs::create_directories(folder / "folder.png");
  for (const char* name : {"z.png", "a.JPG", "b/2.jpeg", "b/10.Png", "b/c/x.jpg", "notes.txt",
                           "png", "b/y.gif", ".hidden.jpg", "folder.png/in.png"}) {
    write_file(folder / name, "");
  }
  EXPECT_EQ(found_in(folder.path()),
            (std::vector<std::string>{".hidden.jpg", "a.JPG", "b/10.Png", "b/2.jpeg", "b/c/x.jpg",
                                      "folder.png/in.png", "z.png"}));
}

TEST(FindImages, SurvivesLinksAndUnreadableFolders) {
  const Folder folder;
  fs::create_directories(folder / "locked");
  fs::create_directories(folder / "loop");
  write_file(folder / "real.png", "");
  fs::create_directory_symlink("..", folder / "loop/up");
  fs::create_symlink("real.png", folder / "link.png");
  fs::create_symlink("nowhere.png", folder / "broken.png");
  fs::permissions(folder / "locked", fs::perms::none);
  // The dangling link is named, so that reading it says what is wrong.
  EXPECT_EQ(found_in(folder.path()),
            (std::vector<std::string>{"broken.png", "link.png", "real.png"}));
  std::vector<std::string> unreadable;
  data::find_images(folder.path(), [&](const std::string& m) { unreadable.push_back(m); });
  std::vector<std::string> want;
  if (geteuid() != 0) {  // root reads everything
    want = {"find_images: " + (folder / "locked").string() + ": cannot be read: Permission denied"};
  }
  EXPECT_EQ(unreadable, want);
  fs::permissions(folder / "locked", fs::perms::owner_all);
}

TEST(FindImages, Errors) {
  const Folder folder;
  EXPECT_TRUE(data::find_images(folder.path()).empty());
  const std::string missing = (folder / "missing").string();
  expect_error([&] { data::find_images(missing); },
               "find_images: " + missing + ": cannot be read: No such file or directory");
  write_file(folder / "file", "");
  expect_error([&] { data::find_images(folder / "file"); },
               "find_images: " + (folder / "file").string() + ": cannot be read: Not a directory");
}

TEST(WritePng, ReadsBackAndLeavesNothingElse) {
  const Folder folder;
  const data::Image image = sample_picture(31, 17);
  write_file(folder / "picture.png", "what was there before");
  data::write_png(folder / "picture.png", image);
  const data::Image back = data::read_image(folder / "picture.png");
  EXPECT_EQ(back.height, 31u);
  EXPECT_EQ(back.width, 17u);
  EXPECT_EQ(back.pixels, image.pixels);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(WritePng, Errors) {
  const Folder folder;
  const std::string path = (folder / "no/picture.png").string();
  expect_error([&] { data::write_png(path, sample_picture(2, 2)); },
               "write_png: " + path + ": cannot be written: its folder " +
                   (folder / "no").string() + ": No such file or directory");
  fs::create_directories(folder / "folder.png");
  expect_error([&] { data::write_png(folder / "folder.png", sample_picture(2, 2)); },
               "write_png: " + (folder / "folder.png").string() + ": must be a regular file");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
  expect_error([&] { data::write_png(folder / "a.png", {}); },
               "write_png: the picture must not be empty: 0 x 0");
  expect_error(
      [&] {
        data::write_png(folder / "a.png", {2, 3, Bytes(17)});
      },
      "write_png: the picture must have 3 values a pixel: 2 x 3 with 17 values");
}

}  // namespace
}  // namespace lamina::test

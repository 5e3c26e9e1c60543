#include <cstring>
#include <gtest/gtest.h>
#include <string>

#include "core/atomic_file.h"
#include "core/checksum.h"
#include "core/mapped_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"

namespace lamina {
namespace {

std::size_t files_in(const test::Folder& folder) {
  const std::filesystem::directory_iterator files(folder.path());
  return static_cast<std::size_t>(std::distance(files, {}));
}

std::string as_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(AtomicFile, AppearsWhenItIsComplete) {
  const test::Folder folder;
  AtomicFile file("op", folder / "name");
  file.write("one ", 4);
  file.write("two", 3);
  EXPECT_FALSE(std::filesystem::exists(folder / "name"));
  file.commit();
  EXPECT_EQ(test::read_file(folder / "name"), "one two");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, LeavesTheOldFileWhenNotCommitted) {
  const test::Folder folder;
  test::write_file(folder / "name", "old");
  { AtomicFile("op", folder / "name").write("new", 3); }
  EXPECT_EQ(test::read_file(folder / "name"), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, SaysWhyItCannotBeWritten) {
  const test::Folder folder;
  const std::filesystem::path missing = folder / "none" / "name";
  test::expect_error([&] { AtomicFile("op", missing); },
                     "op: " + missing.string() + ": cannot be written: No such file or directory");
  std::filesystem::create_directory(folder / "taken");
  test::expect_error([&] { AtomicFile("op", folder / "taken").commit(); },
                     "op: " + (folder / "taken").string() + ": cannot be written: Is a directory");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(MappedFile, HoldsTheBytes) {
  const test::Folder folder;
  test::write_file(folder / "name", std::string(10'000, 'x') + "end");
  const MappedFile file("op", folder / "name");
  EXPECT_EQ(as_string(file.bytes()), std::string(10'000, 'x') + "end");
  std::filesystem::remove(folder / "name");
  EXPECT_EQ(as_string(file.bytes().last(3)), "end");
}

TEST(MappedFile, MayBeEmpty) {
  const test::Folder folder;
  test::write_file(folder / "name", "");
  EXPECT_TRUE(MappedFile("op", folder / "name").bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  const test::Folder folder;
  test::expect_error([&] { MappedFile("op", folder.path()); },
                     "op: " + folder.path().string() + ": must be a regular file");
  test::expect_error(
      [&] { MappedFile("op", folder / "none"); },
      "op: " + (folder / "none").string() + ": cannot be opened: No such file or directory");
  test::expect_error([&] { MappedFile("op", "/dev/null"); },
                     "op: /dev/null: must be a regular file");
}

// The algorithm's own values for no bytes and for "a".
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum({}), 0x2D06800538D394C2u);
  EXPECT_EQ(checksum(std::as_bytes(std::span("a", 1))), 0xE6C632B61E964E1Fu);
}

}  // namespace
}  // namespace lamina

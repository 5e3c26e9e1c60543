#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST(AtomicFile, SaysThatItsFolderIsTheReason) {
  const test::Folder folder;
  const std::string none = folder / "none";
  test::expect_error([&] { AtomicFile("op", none + "/name"); },
                     "op: " + none + "/name: cannot be written: its folder " + none +
                         ": No such file or directory");
  test::write_file(folder / "file", "");
  const std::string file = folder / "file";
  test::expect_error(
      [&] { AtomicFile("op", file + "/name"); },
      "op: " + file + "/name: cannot be written: its folder " + file + ": Not a directory");
  EXPECT_EQ(files_in(folder), 1u);
}

TEST(AtomicFile, SaysWhyItsNameCannotBeTaken) {
  const test::Folder folder;
  test::expect_error([&] { AtomicFile("op", ""); },
                     "op: : cannot be written: No such file or directory");
  const std::string name = folder / std::string(300, 'n');
  test::expect_error([&] { AtomicFile("op", name); },
                     "op: " + name + ": cannot be written: File name too long");
}

TEST(AtomicFile, ReplacesRegularFilesOnly) {
  const test::Folder folder;
  std::filesystem::create_directory(folder / "taken");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/null", folder / "link");
  for (const char* name : {"taken", "pipe", "link"}) {
    const std::string path = folder / name;
    test::expect_error([&] { AtomicFile("op", path); }, "op: " + path + ": must be a regular file");
  }
  test::expect_error([&] { AtomicFile("op", "/dev/null"); },
                     "op: /dev/null: must be a regular file");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(files_in(folder), 3u);
}

void replace(const std::filesystem::path& path) {
  AtomicFile file("op", path);
  file.write("new", 3);
  file.commit();
}

TEST(AtomicFile, FollowsLinks) {
  const test::Folder folder;
  const test::Folder other;
  test::write_file(other / "name", "old");
  std::filesystem::create_symlink(other / "name", folder / "far");
  std::filesystem::create_symlink("far", folder / "link");
  replace(folder / "link");
  EXPECT_EQ(std::filesystem::read_symlink(folder / "link"), "far");
  EXPECT_EQ(std::filesystem::read_symlink(folder / "far"), other / "name");
  EXPECT_EQ(test::read_file(other / "name"), "new");
  EXPECT_EQ(files_in(folder), 2u);
  EXPECT_EQ(files_in(other), 1u);
}

TEST(AtomicFile, CreatesWhatALinkLeadsTo) {
  const test::Folder folder;
  std::filesystem::create_symlink("name", folder / "link");
  replace(folder / "link");
  EXPECT_EQ(std::filesystem::read_symlink(folder / "link"), "name");
  EXPECT_EQ(test::read_file(folder / "name"), "new");
  EXPECT_EQ(files_in(folder), 2u);
}

TEST(AtomicFile, RefusesLinksInACircle) {
  const test::Folder folder;
  std::filesystem::create_symlink("a", folder / "b");
  std::filesystem::create_symlink("b", folder / "a");
  const std::string path = folder / "a";
  test::expect_error([&] { AtomicFile("op", path); },
                     "op: " + path + ": cannot be written: Too many levels of symbolic links");
}

mode_t permissions(const std::filesystem::path& path) {
  struct stat status = {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

TEST(AtomicFile, KeepsPermissions) {
  const test::Folder folder;
  for (const mode_t mode : {0600u, 0640u, 0666u, 0755u}) {
    test::write_file(folder / "name", "old");
    ASSERT_EQ(::chmod((folder / "name").c_str(), mode), 0);
    replace(folder / "name");
    EXPECT_EQ(permissions(folder / "name"), mode);
  }
  const mode_t mask = ::umask(027);
  replace(folder / "fresh");
  ::umask(mask);
  EXPECT_EQ(permissions(folder / "fresh"), 0640u);
}

// The message of an Error thrown to a user who is not root, in a process of its own.
std::string refusal(const std::filesystem::path& path) {
  constexpr unsigned kNobody = 65534;
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string message = "written";
    if (::geteuid() == 0 && ::setuid(kNobody) != 0) {
      message = "still root";
    }
    try {
      replace(path);
    } catch (const Error& error) {
      message = error.what();
    }
    const ssize_t written = ::write(ends[1], message.data(), message.size());
    ::_exit(written < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  std::string message(1000, '\0');
  const ssize_t size = ::read(ends[0], message.data(), message.size());
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  message.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return message;
}

TEST(AtomicFile, LeavesReadOnlyFilesAndFoldersAsTheyAre) {
  const test::Folder folder;
  const std::string path = folder / "name";
  test::write_file(path, "old");
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  EXPECT_EQ(refusal(path), "op: " + path + ": cannot be written: Permission denied");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  EXPECT_EQ(refusal(path + "2"), "op: " + path + "2: cannot be written: its folder " +
                                     folder.path().string() + ": Permission denied");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0700), 0);
  EXPECT_EQ(test::read_file(path), "old");
  EXPECT_EQ(files_in(folder), 1u);
}

// What a process with the same number left behind when it was killed.
TEST(AtomicFile, PassesOverLeftTemporaries) {
  const test::Folder folder;
  const std::string path = (folder / "name").string();
  const auto next = [&] {
    AtomicFile file("op", path);
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      return entry.path().filename().string();
    }
    return std::string();
  }();
  const std::size_t dash = next.rfind('-');
  const unsigned count = static_cast<unsigned>(std::stoul(next.substr(dash + 1)));
  for (unsigned i = 1; i <= 3; ++i) {
    test::write_file(folder / (next.substr(0, dash + 1) + std::to_string(count + i) + ".tmp"), "");
  }
  AtomicFile file("op", path);
  file.write("new", 3);
  file.commit();
  EXPECT_EQ(test::read_file(path), "new");
}

TEST(MappedFile, HoldsTheBytes) {
  const test::Folder folder;
  test::write_file(folder / "name", std::string(10'000, 'x') + "end");
  const MappedFile file("op", folder / "name", 10'003);
  file.populate();
  EXPECT_EQ(as_string(file.bytes()), std::string(10'000, 'x') + "end");
  std::filesystem::remove(folder / "name");
  EXPECT_EQ(as_string(file.bytes().last(3)), "end");
}

TEST(MappedFile, MayBeEmpty) {
  const test::Folder folder;
  test::write_file(folder / "name", "");
  EXPECT_TRUE(MappedFile("op", folder / "name", 10).bytes().empty());
}

TEST(MappedFile, RefusesMoreThanTheLimit) {
  const test::Folder folder;
  test::write_file(folder / "name", "four");
  test::expect_error([&] { MappedFile("op", folder / "name", 3); },
                     "op: " + (folder / "name").string() + ": has more bytes than the limit, 3");
}

TEST(MappedFile, RefusesWhatIsNoFile) {
  const test::Folder folder;
  test::expect_error([&] { MappedFile("op", folder.path(), 10); },
                     "op: " + folder.path().string() + ": must be a regular file");
  test::expect_error(
      [&] { MappedFile("op", folder / "none", 10); },
      "op: " + (folder / "none").string() + ": cannot be opened: No such file or directory");
  test::expect_error([&] { MappedFile("op", "/dev/null", 10); },
                     "op: /dev/null: must be a regular file");
}

// The algorithm's own values for no bytes and for "a".
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(checksum({}), 0x2D06800538D394C2u);
  EXPECT_EQ(checksum(std::as_bytes(std::span("a", 1))), 0xE6C632B61E964E1Fu);
}

}  // namespace
}  // namespace lamina

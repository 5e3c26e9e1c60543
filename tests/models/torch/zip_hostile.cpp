#include <gtest/gtest.h>

#include "models/checkpoint/torch/zip.h"
#include "tests/models/torch/samples.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using models::torch::Zip;
using test::ZipEnd;
using test::ZipSample;

void expect_refused(const std::string& file, const std::string& message) {
  const std::vector<std::uint8_t> bytes = test::bytes_of(file);
  test::expect_error(
      [&] {
        Zip zip(bytes, "bad: ");
        for (const models::torch::ZipEntry& entry : zip.entries()) {
          zip.read(entry);
        }
      },
      "bad: " + message);
}

void expect_entry_refused(const ZipSample& entry, const std::string& message) {
  expect_refused(test::zip_of({entry}), message);
}

std::string content(const std::string& file, const std::string& name) {
  const std::vector<std::uint8_t> bytes = test::bytes_of(file);
  Zip zip(bytes, "good: ");
  const models::torch::ZipEntry* entry = zip.find(name);
  if (entry == nullptr) {
    return "none";
  }
  const std::span<const std::uint8_t> read = zip.read(*entry);
  return {read.begin(), read.end()};
}

TEST(Zip, ReadsEveryForm) {
  const std::string long_text(100000, 'x');
  const std::vector<ZipSample> entries = {
      {.name = "plain", .content = "one"},
      {.name = "empty", .content = ""},
      {.name = "empty deflated", .content = "", .deflated = true},
      {.name = "deflated", .content = long_text, .deflated = true},
      {.name = "later", .content = "two", .with_descriptor = true},
      {.name = "unsigned", .content = "three", .with_descriptor = true, .with_signature = false},
      {.name = "wide", .content = "four", .with_descriptor = true, .wide = true},
      {.name = "wide unsigned",
       .content = long_text,
       .deflated = true,
       .with_descriptor = true,
       .with_signature = false,
       .wide = true}};
  for (const bool wide : {false, true}) {
    const std::string file = test::zip_of(entries, {.wide = wide, .comment = "a comment PK\5\6"});
    for (const ZipSample& entry : entries) {
      EXPECT_EQ(content(file, entry.name), entry.content) << entry.name;
    }
    EXPECT_EQ(content(file, "lai"), "none");
  }
}

TEST(Zip, EmptyEntryWithDescriptor) {
  EXPECT_EQ(content(test::zip_of({{.name = "a", .content = "", .with_descriptor = true}}), "a"),
            "");
}

TEST(HostileZip, EveryTruncationIsRefused) {
  const std::string file = test::zip_of(
      {{.name = "a", .content = "content"}, {.name = "b", .content = "", .deflated = true}},
      {.wide = true});
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::vector<std::uint8_t> cut = test::bytes_of(file.substr(0, size));
    EXPECT_THROW(Zip(cut, ""), Error) << size;
  }
}

TEST(HostileZip, NoEndRecord) {
  expect_refused("PK\3\4 and nothing else that is of a zip archive",
                 "is no whole zip archive: the last 46 bytes hold no end record");
}

TEST(HostileZip, WrongEndRecord) {
  const std::vector<ZipSample> one = {{.name = "a", .content = "12345"}};
  expect_refused(test::zip_of(one, {.size_change = 1}),
                 "zip directory must end where the end record begins: it has 48 bytes from 36, the "
                 "record begins at 83");
  expect_refused(test::zip_of(one, {.wide = true, .offset_change = -1}),
                 "zip directory must end where the end record begins: it has 47 bytes from 35, the "
                 "record begins at 83");
  expect_refused(test::zip_of(one, {.entries_change = 1}),
                 "zip archive must have at most 1048576 entries, of 46 bytes or more in its "
                 "directory: it has 2 in 47 bytes");
  expect_refused(test::zip_of(one, {.wide = true, .entries_change = 1 << 30}),
                 "zip archive must have at most 1048576 entries, of 46 bytes or more in its "
                 "directory: it has 1073741825 in 47 bytes");
  expect_refused(test::zip_of(one, {.entries_change = -1}),
                 "zip directory must end where its headers do: at 83, they end at 36");
  expect_refused(test::zip_of(one, {.disk = 1}),
                 "zip archive must be one file: it is part 1 of several");
  expect_refused(test::zip_of(one, {.wide = true, .disk = 2}),
                 "zip archive must be one file: it is part 2 of several");
}

TEST(HostileZip, KindsOfEntries) {
  const std::string a = "zip entry \"a\": ";
  expect_entry_refused({.name = "a", .content = "1", .flags = 1}, a + "must not be encrypted");
  expect_entry_refused({.name = "a", .content = "1", .flags = 1 << 6},
                       a + "flags must be known ones: they are 64");
  expect_entry_refused({.name = "a", .content = "1", .method = 93},
                       a + "must be stored or deflated: its method is 93");
  expect_entry_refused({.name = "a", .content = "1", .size_change = 1},
                       a + "sizes must agree where it is stored: 1 bytes of 2");
  expect_entry_refused({.name = "", .content = "1"},
                       "zip entry's name must have 1 to 4096 bytes: the header at 31 says 0");
}

TEST(HostileZip, RecordsThatDisagree) {
  const std::string a = "zip entry \"a\": local header must ";
  expect_entry_refused({.name = "a", .content = "1", .local_name = "b"},
                       a + "have its name: it has \"b\"");
  expect_entry_refused({.name = "a", .content = "1", .local_flags = 2},
                       a + "agree: flags and method are 2 and 0, in the directory 0 and 0");
  expect_entry_refused(
      {.name = "a", .content = "1", .local_size_change = 5},
      a + "agree: 1 bytes for 6 with checksum 2212294583, in the directory 1 for 1 with "
          "2212294583");
  expect_entry_refused(
      {.name = "a", .content = "1", .with_descriptor = true, .descriptor_change = 1},
      "zip entry \"a\": data descriptor must follow and agree: the one at 32 does not");
  expect_entry_refused({.name = "a", .content = "1", .offset_change = 1},
                       "zip entry \"a\": must have a local header: there is none at 1");
  expect_entry_refused({.name = "a", .content = "1", .wide = true, .offset_change = -1},
                       "zip entry \"a\": must have a local header: there is none at "
                       "18446744073709551615");
}

TEST(HostileZip, Checksums) {
  expect_entry_refused(
      {.name = "a", .content = "1", .crc_change = 1},
      "zip entry \"a\": content must match its checksum: it has 2212294583, should have "
      "2212294584");
  expect_entry_refused(
      {.name = "a", .content = "1", .deflated = true, .crc_change = -1},
      "zip entry \"a\": content must match its checksum: it has 2212294583, should have "
      "2212294582");
}

TEST(HostileZip, OverlappingEntries) {
  const std::string inner = test::zip_of({{.name = "b", .content = "inner"}});
  const std::string local = inner.substr(0, inner.find("PK\1\2"));
  // The directory places b inside of a's content.
  const std::string file = test::zip_of(
      {{.name = "a", .content = local}, {.name = "b", .content = "inner", .offset_change = -36}});
  expect_refused(file, "zip entries must not overlap: \"a\" ends at 67, \"b\" begins at 31");
}

TEST(HostileZip, DuplicateNames) {
  expect_refused(test::zip_of({{.name = "a", .content = "1"}, {.name = "a", .content = "2"}}),
                 "zip entries must have different names: \"a\" comes twice");
}

TEST(HostileZip, InflatesNoMoreThanItSays) {
  const std::string bomb(2000000, '\0');
  const std::string file = test::zip_of({{.name = "a", .content = bomb, .deflated = true}});
  const std::size_t headers = test::zip_of({{.name = "a", .content = ""}}).size();
  expect_refused(file, text("zip entry \"a\": must inflate to at most 64 times its size: it has ",
                            file.size() - headers, " bytes for 2000000"));
  expect_entry_refused(
      {.name = "a", .content = std::string(1000, 'a'), .deflated = true, .size_change = -1},
      "zip entry \"a\": must be one deflated stream of 999 bytes");
  expect_entry_refused(
      {.name = "a", .content = std::string(1000, 'a'), .deflated = true, .size_change = 1},
      "zip entry \"a\": must be one deflated stream of 1001 bytes");
  expect_entry_refused({.name = "a", .content = "no stream", .method = 8},
                       "zip entry \"a\": must be one deflated stream of 9 bytes");
}

TEST(HostileZip, InflatesNoMoreTogether) {
  std::vector<ZipSample> many;
  for (int i = 0; i < 4; ++i) {
    many.push_back({.name = std::string(1, static_cast<char>('a' + i)),
                    .content = std::string(1000000, '\0'),
                    .deflated = true});
  }
  const std::string file = test::zip_of(many);
  expect_refused(
      file, text("zip entries must inflate to at most ", 16 * file.size() + (1 << 20),
                 " bytes together, for a file of ", file.size(), ": they need more with \"b\""));
}

TEST(HostileZip, NamesAreNoPathsAndArePrintedEscaped) {
  EXPECT_EQ(
      content(test::zip_of({{.name = "../../etc/passwd", .content = "1"}}), "../../etc/passwd"),
      "1");
  expect_entry_refused({.name = "\x1b[31m\n", .content = "1", .flags = 1},
                       "zip entry \"\\u001b[31m\\n\": must not be encrypted");
}

}  // namespace
}  // namespace lamina

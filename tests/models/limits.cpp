#include "models/checkpoint/limits.h"

#include <cstring>
#include <ctime>
#include <functional>
#include <gtest/gtest.h>
#include <regex>
#include <set>

#include "data/exif.h"
#include "data/idx.h"
#include "data/image.h"
#include "models/checkpoint/safetensors.h"
#include "tests/data/idx_files.h"
#include "tests/fuzz/heap.h"
#include "tests/support/expect_error.h"
#include "tests/support/folder.h"
#include "tests/support/samples.h"

// What docs/SECURITY.md promises for every format; what it promises for one is tested with it.
namespace lamina {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

TEST(Limits, AreListedOnceEach) {
  std::set<std::string_view> names;
  for (const models::limits::Limit& limit : models::limits::all()) {
    EXPECT_TRUE(names.insert(limit.name).second) << limit.name;
    EXPECT_GT(limit.value, 0u) << limit.name;
  }
  EXPECT_GT(names.size(), 10u);
}

TEST(Limits, AreThoseOfTheDocument) {
  const std::string page =
      test::read_file(std::filesystem::path(LAMINA_SOURCE_ROOT) / "docs/SECURITY.md");
  for (const auto& [name, value, unit, what] : models::limits::all()) {
    const std::string row = text("| ", name, " | ", value, " ", unit, " | ", what, " |");
    EXPECT_NE(page.find(row), std::string::npos) << "docs/SECURITY.md needs the row\n" << row;
  }
}

using test::operator+;

// Tests that were renamed or left out would be claimed forever.
TEST(Promises, NameTestsThatThereAre) {
  const std::filesystem::path root = LAMINA_SOURCE_ROOT;
  std::string sources;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root / "tests")) {
    sources += entry.path().extension() == ".cpp" ? test::read_file(entry.path()) : "";
  }
  const std::string page = test::read_file(root / "docs/SECURITY.md");
  const std::regex name("`([A-Z]\\w+)\\.(\\w+)`");
  std::size_t count = 0;
  for (std::sregex_iterator i(page.begin(), page.end(), name); i != std::sregex_iterator(); ++i) {
    const std::string macro_end = text('(', (*i)[1].str(), ", ", (*i)[2].str(), ')');
    EXPECT_NE(sources.find(macro_end), std::string::npos) << (*i)[0].str();
    ++count;
  }
  EXPECT_GT(count, 20u);
}

std::vector<std::uint8_t> safetensors_of(const std::string& header, std::size_t data = 0) {
  const std::uint64_t length = header.size();
  std::vector<std::uint8_t> bytes(sizeof length + header.size() + data);
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, header.data(), header.size());
  return bytes;
}

// Files of some bytes that declare gigabytes are refused before anything is made of them.
TEST(HostileMemory, NothingIsSetAsideForAClaim) {
  const test::Folder folder;
  const auto refused = [](const std::function<void()>& read, std::size_t most) {
    const fuzz::HeapMeter meter;
    EXPECT_THROW(read(), Error);
    EXPECT_LT(meter.peak(), most);
  };
  const auto tensor = safetensors_of(
      R"({"a":{"dtype":"F32","shape":[1073741824],"data_offsets":[0,4294967296]}})", 8);
  refused([&] { models::parse_safetensors(tensor, "lie"); }, kMiB / 16);
  const auto header = std::vector<std::uint8_t>{0, 0xe0, 0xf5, 5, 0, 0, 0, 0, '{'};
  refused([&] { models::parse_safetensors(header, "lie"); }, kMiB / 16);
  const test::Bytes png = test::png_signature() +
                          test::png_header({.height = 9999, .width = 9999}) +
                          test::png_chunk("IDAT", {});
  refused([&] { data::decode_image(png, "lie"); }, kMiB);
  test::write_file(folder / "idx", test::idx_bytes({1u << 16, 1u << 8, 1u << 8}, "a"));
  refused([&] { data::read_idx(folder / "idx", 3); }, kMiB);
}

// A deflated file may become 1032 times as large and no larger: a little one cannot fill memory.
TEST(HostileMemory, WhatIsInflatedStaysBelowWhatIsDeclared) {
  const test::Folder folder;
  const std::string bomb = test::idx_bytes({1u << 10, 1u << 10, 4}, std::string(64 * kMiB, '\0'));
  test::write_file(folder / "bomb", test::gzip(bomb));
  const fuzz::HeapMeter meter;
  EXPECT_THROW(data::read_idx(folder / "bomb", 3), Error);
  EXPECT_LT(meter.peak(), 14 * kMiB);  // 4 MiB declared, the list twice while it grows
}

std::string many_tensors(std::size_t count) {
  std::string header = "{";
  for (std::size_t i = 0; i < count; ++i) {
    header +=
        text(i == 0 ? "" : ",", '"', i, R"(":{"dtype":"F32","shape":[0],"data_offsets":[0,0]})");
  }
  return header + '}';
}

std::string many_texts(std::size_t count) {
  std::string header = R"({"__metadata__":{)";
  for (std::size_t i = 0; i < count; ++i) {
    header += text(i == 0 ? "" : ",", '"', i, R"(":"")");
  }
  return header + "}}";
}

std::string many_extents(std::size_t count) {
  std::string header = R"({"a":{"dtype":"F32","data_offsets":[0,4],"shape":[)";
  for (std::size_t i = 0; i < count; ++i) {
    header += i == 0 ? "1" : ",1";
  }
  return header + "]}}";
}

struct Headers {
  const char* name;
  std::string (*make)(std::size_t count);
  std::size_t count;
};

class LargeHeader : public testing::TestWithParam<Headers> {
 protected:
  // The program's CPU time of one reading, seconds: other programs do not count.
  static double seconds(const std::vector<std::uint8_t>& file) {
    double least = 1e9;
    for (int i = 0; i < 3; ++i) {
      const std::clock_t begin = std::clock();
      read(file);
      least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
    return least;
  }

  static void read(const std::vector<std::uint8_t>& file) {
    try {
      models::parse_safetensors(file, "large");
    } catch (const Error&) {
    }
  }
};

TEST_P(LargeHeader, TakesMemoryLinearInItsBytes) {
  const auto file = safetensors_of(GetParam().make(GetParam().count));
  const fuzz::HeapMeter meter;
  read(file);
  EXPECT_LE(meter.peak(), 24 * file.size());
}

TEST_P(LargeHeader, TakesTimeLinearInItsBytes) {
  constexpr std::size_t kTimes = 16;
  const auto small = safetensors_of(GetParam().make(GetParam().count / kTimes));
  const auto large = safetensors_of(GetParam().make(GetParam().count));
  // By the square it would be 256 times; sorting and caches may triple 16.
  EXPECT_LE(seconds(large), 3 * kTimes * seconds(small) + 0.02);
}

INSTANTIATE_TEST_SUITE_P(Kinds, LargeHeader,
                         testing::Values(Headers{"Tensors", many_tensors, 64000},
                                         Headers{"Texts", many_texts, 9600},
                                         Headers{"TooManyTexts", many_texts, 400000},
                                         Headers{"Extents", many_extents, 400000}),
                         [](const auto& kind) { return std::string(kind.param.name); });

// A directory of 65,535 entries is looked through once.
TEST(HostileTime, ExifDirectories) {
  test::Bytes segment = {'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 0xff, 0xff};
  EXPECT_EQ(data::exif_orientation(segment), data::Orientation::top_left);
  segment.resize(65533, 0);
  EXPECT_EQ(data::exif_orientation(segment), data::Orientation::top_left);
}

}  // namespace
}  // namespace lamina

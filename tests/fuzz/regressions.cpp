#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <vector>

#include "core/tensor.h"
#include "tests/fuzz/heap.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/target.h"
#include "tests/fuzz/targets.h"
#include "tests/support/folder.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void run(const fuzz::Target& target, const std::string& bytes, const std::string& name) {
  try {
    target.run(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  } catch (const std::exception& error) {
    ADD_FAILURE() << name << ": " << error.what();
  }
}

const fs::path& seeds() {
  static const test::Folder folder;
  static const bool written = (fuzz::write_seeds(folder.path()), true);
  static_cast<void>(written);
  return folder.path();
}

struct Fuzzed : testing::TestWithParam<fuzz::Target> {};

TEST_P(Fuzzed, KeepsItsPromisesForWhatWasFoundOnce) {
  for (const fs::path& file :
       files_in(fs::path(LAMINA_SOURCE_ROOT) / "tests/fuzz/regressions" / GetParam().name)) {
    run(GetParam(), test::read_file(file), file.filename().string());
  }
}

TEST_P(Fuzzed, TakesItsSeeds) {
  const std::vector<fs::path> files = files_in(seeds() / GetParam().name);
  EXPECT_FALSE(files.empty());
  for (const fs::path& file : files) {
    run(GetParam(), test::read_file(file), file.filename().string());
    EXPECT_EQ(fuzz::last_refusal(), "") << file;
  }
}

// Each cut of a seed, and each of its first bytes set to each extreme.
TEST_P(Fuzzed, KeepsItsPromisesBesideItsSeeds) {
  for (const fs::path& file : files_in(seeds() / GetParam().name)) {
    const std::string bytes = test::read_file(file);
    const std::size_t step = 1 + bytes.size() / 100;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      run(GetParam(), bytes.substr(0, at), text(file.filename().string(), " cut at ", at));
      for (const char extreme : {'\0', '\x7f', '\x80', '\xff'}) {
        std::string altered = bytes;
        altered[at] = extreme;
        run(GetParam(), altered, text(file.filename().string(), " altered at ", at));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Fuzzed, testing::ValuesIn(fuzz::targets()),
                         [](const auto& target) { return std::string(target.param.name); });

TEST(FuzzHarness, NoticesMemory) {
  const fuzz::HeapMeter meter;
  void* volatile block = std::malloc(100000);  // volatile, else compilers leave them out
  char* volatile array = new char[200000];
  std::free(block);
  delete[] array;
  EXPECT_GE(meter.peak(), 300000u);
  EXPECT_LT(meter.peak(), 400000u);
  EXPECT_GE(meter.largest(), 200000u);
  EXPECT_GE(meter.allocations(), 2u);
}

TEST(FuzzHarness, NoticesTensors) {
  const fuzz::HeapMeter meter;
  const Tensor tensor = Tensor::zeros({100000});
  EXPECT_GE(meter.peak(), 400000u);
  EXPECT_LT(meter.peak(), 600000u);
}

TEST(FuzzHarness, NoticesBrokenPromises) {
  const auto fails = [] { throw Error("no"); };
  EXPECT_EQ(fuzz::attempt(10000, fails), 0);
  EXPECT_EQ(fuzz::last_refusal(), "no");
  const auto takes_memory = [] {
    char* volatile array = new char[5000];
    delete[] array;
  };
  EXPECT_THROW(fuzz::attempt(1000, takes_memory), fuzz::BrokenPromise);
  EXPECT_THROW(fuzz::attempt(10000, [] { throw Error("\x1b[31m"); }), fuzz::BrokenPromise);
  EXPECT_THROW(fuzz::attempt(100000, [] { throw Error(std::string(10000, 'x')); }),
               fuzz::BrokenPromise);
  EXPECT_THROW(fuzz::attempt(10000, [] { throw std::out_of_range("at"); }), std::out_of_range);
}

}  // namespace
}  // namespace lamina

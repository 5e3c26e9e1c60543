#include "data/cifar.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "core/error.h"
#include "data/dataset_memory.h"
#include "data/file.h"
#include "data/file_limits.h"
#include "data/labels.h"

namespace lamina::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSide = 32;
constexpr std::size_t kPixels = kSide * kSide;
constexpr std::size_t kRecord = 1 + 3 * kPixels;
constexpr std::size_t kClasses = 10;

std::vector<std::string> files_of(Split split) {
  std::vector<std::string> files;
  if (split != Split::test) {
    for (int i = 1; i <= 5; ++i) {
      files.push_back(text("data_batch_", i, ".bin"));
    }
  }
  if (split != Split::train) {
    files.emplace_back("test_batch.bin");
  }
  return files;
}

std::vector<std::string> class_names(const fs::path& folder) {
  const fs::path path = folder / "batches.meta.txt";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return default_labels(kClasses);
  }
  const std::vector<std::uint8_t> bytes = read_file("open_cifar", path, limits::kCifarNames);
  std::istringstream lines(std::string(bytes.begin(), bytes.end()));
  std::vector<std::string> names;
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::find(line.begin(), line.end(), '\r'), line.end());
    if (!line.empty()) {
      names.push_back(line);
    }
  }
  check(names.size() == kClasses, "open_cifar: ", path.string(), ": must have ", kClasses,
        " lines, the names of the classes: has ", names.size());
  return names;
}

void add_file(const fs::path& path, MemoryDataset::Contents& contents) {
  const std::vector<std::uint8_t> bytes = read_file("open_cifar", path, limits::kCifarFile);
  check(!bytes.empty() && bytes.size() % kRecord == 0, "open_cifar: ", path.string(),
        ": must have ", kRecord, " bytes for each picture: has ", bytes.size(), " bytes");
  const std::size_t count = bytes.size() / kRecord;
  const std::size_t before = contents.pixels.size();
  contents.pixels.resize(before + count * 3 * kPixels);
  std::uint8_t* to = contents.pixels.data() + before;
  for (std::size_t offset = 0; offset < bytes.size(); offset += kRecord) {
    check(bytes[offset] < kClasses, "open_cifar: ", path.string(), ": labels must be below ",
          kClasses, ": the one at byte ", offset, " is ", int{bytes[offset]});
    contents.labels.push_back(bytes[offset]);
    const std::uint8_t* from = bytes.data() + offset + 1;
    for (std::size_t i = 0; i < kPixels; ++i, to += 3) {
      to[0] = from[i];
      to[1] = from[i + kPixels];
      to[2] = from[i + 2 * kPixels];
    }
  }
}

}  // namespace

bool has_cifar_files(const fs::path& folder) {
  std::error_code ignored;
  return std::ranges::any_of(files_of(Split::all), [&](const std::string& file) {
    return fs::exists(folder / file, ignored);
  });
}

DatasetHandle open_cifar(const fs::path& folder, Split split) {
  MemoryDataset::Contents contents{.height = kSide,
                                   .width = kSide,
                                   .class_names = class_names(folder),
                                   .name = text(folder.string(), " (", split_name(split), ")")};
  for (const std::string& file : files_of(split)) {
    add_file(folder / file, contents);
  }
  return std::make_shared<MemoryDataset>(std::move(contents));
}

}  // namespace lamina::data

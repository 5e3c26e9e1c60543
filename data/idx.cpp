#include "data/idx.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "data/dataset_memory.h"
#include "data/file_limits.h"
#include "data/gzip.h"
#include "data/labels.h"

namespace lamina::data {
namespace {

namespace fs = std::filesystem;

constexpr std::uint8_t kUnsignedBytes = 8;

/// The file of that name and form in the folder, if there is one.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& stem,
                                  const std::string& form) {
  for (const char* separator : {"-", "."}) {
    for (const char* ending : {"", ".gz"}) {
      fs::path path = folder / text(stem, separator, form, ending);
      std::error_code ignored;
      if (fs::exists(path, ignored)) {
        return path;
      }
    }
  }
  return std::nullopt;
}

std::optional<fs::path> find_images_file(const fs::path& folder, const std::string& part) {
  return find_file(folder, part + "-images", "idx3-ubyte");
}

std::optional<fs::path> find_labels_file(const fs::path& folder, const std::string& part) {
  return find_file(folder, part + "-labels", "idx1-ubyte");
}

std::vector<std::string> parts_of(Split split) {
  switch (split) {
    case Split::train:
      return {"train"};
    case Split::test:
      return {"t10k"};
    case Split::all:
      return {"train", "t10k"};
  }
  return {};
}

fs::path required(const std::optional<fs::path>& found, const fs::path& folder,
                  const std::string& name) {
  check(found.has_value(), "open_idx: ", folder.string(), ": must hold ", name,
        ", plain or with .gz: there is none");
  return *found;
}

struct Labels {
  fs::path path;
  std::vector<std::uint8_t> values;
};

Labels read_labels(const fs::path& folder, const std::string& part) {
  Labels labels{required(find_labels_file(folder, part), folder, part + "-labels-idx1-ubyte"), {}};
  labels.values = read_idx(labels.path, 1).values;
  return labels;
}

/// The names of the classes, the same for every split of the folder.
std::vector<std::string> class_names(const fs::path& folder, const DatasetOptions& options) {
  if (!options.class_names.empty()) {
    return options.class_names;
  }
  if (fs::absolute(folder / "").lexically_normal().parent_path().filename() == "fashion-mnist") {
    return fashion_mnist_labels();
  }
  std::uint8_t highest = 0;
  for (const std::string& part : parts_of(Split::all)) {
    if (find_labels_file(folder, part)) {
      highest = std::max(highest, std::ranges::max(read_labels(folder, part).values));
    }
  }
  return default_labels(std::size_t{highest} + 1);
}

void check_labels(const Labels& labels, std::size_t classes) {
  const auto bad = std::ranges::find_if(labels.values, [&](auto l) { return l >= classes; });
  if (bad != labels.values.end()) {
    throw Error(text("open_idx: ", labels.path.string(),
                     ": labels must be below the number of classes, ", classes, ": label ",
                     bad - labels.values.begin(), " is ", int{*bad}));
  }
}

/// Adds the pictures of one split to the others.
void add_part(const fs::path& folder, const std::string& part, MemoryDataset::Contents& contents) {
  const fs::path path =
      required(find_images_file(folder, part), folder, part + "-images-idx3-ubyte");
  IdxArray images = read_idx(path, 3);
  const Labels labels = read_labels(folder, part);
  check(images.extents[0] == labels.values.size(), "open_idx: ", path.string(),
        ": must have a label for each picture: ", images.extents[0], " pictures, ",
        labels.values.size(), " labels in ", labels.path.string());
  check_labels(labels, contents.class_names.size());
  const bool first = contents.labels.empty();
  check(first || (contents.height == images.extents[1] && contents.width == images.extents[2]),
        "open_idx: ", path.string(), ": pictures must have one size: ", images.extents[1], " x ",
        images.extents[2], " and ", contents.height, " x ", contents.width, " in ", contents.name);
  contents.height = images.extents[1];
  contents.width = images.extents[2];
  contents.name += (first ? "" : " and ") + path.string();
  contents.labels.insert(contents.labels.end(), labels.values.begin(), labels.values.end());
  if (first) {
    contents.pixels = std::move(images.values);
  } else {
    contents.pixels.insert(contents.pixels.end(), images.values.begin(), images.values.end());
  }
}

}  // namespace

IdxArray read_idx(const fs::path& path, std::size_t rank) {
  check(rank >= 1 && rank <= 4, "read_idx: the rank must be from 1 to 4: ", rank);
  GzipReader reader("read_idx", path);
  const std::vector<std::uint8_t> magic = reader.read(4);
  check(magic[0] == 0 && magic[1] == 0 && magic[2] == kUnsignedBytes && magic[3] == rank,
        "read_idx: ", path.string(), ": must begin with 0 0 8 ", rank, " (unsigned bytes, rank ",
        rank, "): begins with ", int{magic[0]}, " ", int{magic[1]}, " ", int{magic[2]}, " ",
        int{magic[3]});
  const std::vector<std::uint8_t> header = reader.read(4 * rank);
  IdxArray array;
  std::uint64_t size = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    std::size_t extent = 0;
    for (std::size_t byte = 0; byte < 4; ++byte) {
      extent = extent << 8 | header[4 * i + byte];
    }
    check(extent > 0, "read_idx: ", path.string(), ": extents must be positive: extent ", i,
          ", at byte ", 4 + 4 * i, ", is 0");
    check(extent <= limits::kIdxValues / size, "read_idx: ", path.string(), ": must hold at most ",
          limits::kIdxValues, " values: extent ", i, ", at byte ", 4 + 4 * i, ", is ", extent);
    size *= extent;
    array.extents.push_back(extent);
  }
  const std::uint64_t whole = 4 + 4 * rank + size;
  check(whole <= reader.most(), "read_idx: ", path.string(), ": is truncated: declares ", whole,
        " bytes, the file can hold at most ", reader.most());
  array.values = reader.read(static_cast<std::size_t>(size));
  reader.expect_end();
  return array;
}

bool has_idx_files(const fs::path& folder) {
  return find_images_file(folder, "train") || find_images_file(folder, "t10k");
}

DatasetHandle open_idx(const fs::path& folder, const DatasetOptions& options) {
  MemoryDataset::Contents contents{.channels = 1, .class_names = class_names(folder, options)};
  for (const std::string& part : parts_of(options.split)) {
    add_part(folder, part, contents);
  }
  return std::make_shared<MemoryDataset>(std::move(contents));
}

std::optional<fs::path> find_fashion_mnist() {
  const char* set = std::getenv("XDG_DATA_DIRS");
  std::istringstream folders(set != nullptr && *set != '\0' ? set : "/usr/local/share:/usr/share");
  for (std::string folder; std::getline(folders, folder, ':');) {
    fs::path path = fs::path(folder) / "datasets/fashion-mnist";
    if (has_idx_files(path)) {
      return path;
    }
  }
  return std::nullopt;
}

const std::vector<std::string>& fashion_mnist_labels() {
  static const std::vector<std::string> kLabels = {
      "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  return kLabels;
}

}  // namespace lamina::data

#include "data/image_folder.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/error.h"

namespace lamina::data {
namespace {

namespace fs = std::filesystem;

/// The names of the folders in `folder`, sorted.
std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    std::string name = entry->path().filename().string();
    if (entry->is_directory(ignored) && name.front() != '.') {
      names.push_back(std::move(name));
    }
  }
  check(!error, "open_image_folder: ", folder.string(), ": cannot be read: ", error.message());
  std::ranges::sort(names);
  return names;
}

bool is_split(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_directory(folder, ignored) && !folders_in(folder).empty();
}

class ImageFolder : public Dataset {
 public:
  explicit ImageFolder(std::vector<std::string> class_names)
      : class_names_(std::move(class_names)) {}

  /// Adds the pictures below the folders of `folder`, which are classes.
  void add(const fs::path& folder);

  std::size_t size() const override { return files_.size(); }
  const std::vector<std::string>& class_names() const override { return class_names_; }
  std::uint32_t label(std::size_t i) const override { return files_[i].label; }
  void read(std::size_t i, Image& image) const override { image = read_image(files_[i].path); }
  std::string name(std::size_t i) const override { return files_[i].path; }

 private:
  struct File {
    std::string path;
    std::uint32_t label;
  };
  std::vector<std::string> class_names_;
  std::vector<File> files_;
};

void ImageFolder::add(const fs::path& folder) {
  for (const std::string& name : folders_in(folder)) {
    const auto found = std::ranges::lower_bound(class_names_, name);
    const fs::path path = folder / name;
    check(found != class_names_.end() && *found == name, "open_image_folder: ", path.string(),
          ": must be one of the classes to train with: there is no ", name, " among the ",
          class_names_.size());
    const auto label = static_cast<std::uint32_t>(found - class_names_.begin());
    const std::vector<fs::path> images =
        find_images(path, [](const std::string& message) { throw Error(message); });
    check(!images.empty(), "open_image_folder: ", path.string(),
          ": a class must have a picture (.png, .jpg or .jpeg): there is none");
    for (const fs::path& image : images) {
      files_.push_back({image.string(), label});
    }
  }
}

/// The folders of classes that make up the split.
std::vector<fs::path> parts_of(const fs::path& folder, Split split) {
  const fs::path train = folder / "train";
  const fs::path test = folder / (is_split(folder / "val") ? "val" : "test");
  const bool has_train = is_split(train), has_test = is_split(test);
  if (!has_train && !has_test) {
    check(split != Split::test, "open_image_folder: ", folder.string(),
          ": must have a folder val or test with classes inside: there is none");
    return {folder};
  }
  check(has_train || split == Split::test, "open_image_folder: ", folder.string(),
        ": must have a folder train with classes inside: there is none");
  check(has_test || split != Split::test, "open_image_folder: ", folder.string(),
        ": must have a folder val or test with classes inside: there is none");
  std::vector<fs::path> parts;
  if (split != Split::test) {
    parts.push_back(train);
  }
  if (has_test && split != Split::train) {
    parts.push_back(test);
  }
  return parts;
}

}  // namespace

DatasetHandle open_image_folder(const fs::path& folder, Split split) {
  const std::vector<fs::path> parts = parts_of(folder, split);
  const fs::path train = folder / "train";
  std::vector<std::string> names = folders_in(is_split(train) ? train : parts.front());
  check(!names.empty(), "open_image_folder: ", folder.string(),
        ": must hold a folder of pictures for each class, or IDX or CIFAR-10 files: there is none");
  const auto dataset = std::make_shared<ImageFolder>(std::move(names));
  for (const fs::path& part : parts) {
    dataset->add(part);
  }
  return dataset;
}

}  // namespace lamina::data

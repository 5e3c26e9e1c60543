#include "data/image.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <iomanip>
#include <sstream>
#include <system_error>
#include <utility>

#include "data/codecs.h"
#include "data/file.h"

namespace lamina::data {
namespace {

namespace fs = std::filesystem;

template <std::size_t kLength>
bool starts_with(std::span<const std::uint8_t> bytes,
                 const std::array<std::uint8_t, kLength>& signature) {
  return bytes.size() >= kLength && std::equal(signature.begin(), signature.end(), bytes.begin());
}

std::string first_bytes(std::span<const std::uint8_t> bytes) {
  std::ostringstream out;
  out << std::hex << std::setfill('0');
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 4); ++i) {
    out << (i > 0 ? " " : "") << std::setw(2) << int{bytes[i]};
  }
  return out.str();
}

bool is_picture_name(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

// A link to nothing is a picture that cannot be read, not one that is not there.
bool is_file_or_dangling(const fs::directory_entry& entry) {
  std::error_code ignored;
  return entry.is_regular_file(ignored) || (entry.is_symlink(ignored) && !entry.exists(ignored));
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> bytes, std::string_view name,
                   const DecodeOptions& options) {
  constexpr std::array<std::uint8_t, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::array<std::uint8_t, 3> kJpeg = {0xff, 0xd8, 0xff};
  const Source source{bytes, name, options};
  check_source(!bytes.empty(), source, "is empty");
  if (starts_with(bytes, kPng)) {
    return decode_png(source);
  }
  check_source(starts_with(bytes, kJpeg), source, "is neither a PNG nor a JPEG: begins with ",
               first_bytes(bytes));
  return decode_jpeg(source);
}

Image read_image(const fs::path& path, const DecodeOptions& options) {
  return decode_image(read_file("read_image", path, limits::kPictureFile), path.string(), options);
}

std::vector<fs::path> find_images(const fs::path& directory,
                                  const std::function<void(const std::string&)>& unreadable) {
  std::error_code error;
  const fs::directory_iterator readable(directory, error);
  check(!error, "find_images: ", directory.string(), ": cannot be read: ", error.message());
  std::vector<fs::path> images;
  std::vector<fs::path> folders = {directory};
  while (!folders.empty()) {
    const fs::path folder = std::exchange(folders.back(), {});
    folders.pop_back();
    fs::directory_iterator entry(folder, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      std::error_code ignored;
      if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
        folders.push_back(entry->path());
      } else if (is_picture_name(entry->path()) && is_file_or_dangling(*entry)) {
        images.push_back(entry->path());
      }
    }
    if (error && unreadable) {
      unreadable(text("find_images: ", folder.string(), ": cannot be read: ", error.message()));
    }
  }
  std::sort(images.begin(), images.end());
  return images;
}

}  // namespace lamina::data

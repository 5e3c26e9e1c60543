#include "apps/support/pictures.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <new>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include "apps/support/dataset.h"
#include "apps/support/stop_signal.h"
#include "apps/support/thumbnail.h"
#include "core/error.h"
#include "core/random.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxStandardInput = std::size_t{1} << 30;
constexpr std::size_t kChunk = std::size_t{1} << 16;
constexpr int kPollMilliseconds = 100;

// Polls, so that a request to stop is noticed while nothing arrives.
std::vector<std::uint8_t> read_standard_input() {
  check(isatty(STDIN_FILENO) == 0,
        "standard input: must be a picture's bytes, from a file or a pipe: got a terminal");
  std::vector<std::uint8_t> bytes;
  while (!stop_requested()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kPollMilliseconds) <= 0) {
      continue;
    }
    const std::size_t size = bytes.size();
    bytes.resize(size + kChunk);
    const ssize_t count = read(STDIN_FILENO, bytes.data() + size, kChunk);
    const int failure = errno;
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    check(count >= 0 || failure == EINTR,
          "standard input: cannot be read: ", std::strerror(failure));
    check(bytes.size() <= kMaxStandardInput, "standard input: must be at most ", kMaxStandardInput,
          " bytes: got more");
    if (count == 0) {
      return bytes;
    }
  }
  throw Error("standard input: interrupted");
}

data::Image read_picture(const Picture& picture) {
  if (picture.set) {
    return picture.set->image(picture.number);
  }
  return picture.file == kStandardInput
             ? data::decode_image(read_standard_input(), "standard input")
             : data::read_image(picture.file);
}

std::vector<Picture> test_pictures(const std::string& name,
                                   const std::vector<std::string>& labels) {
  const data::DatasetHandle set =
      data::open_dataset(dataset_folder(name), {.split = data::Split::test});
  const std::vector<std::size_t> classes = network_classes(*set, labels, name);
  std::vector<Picture> pictures;
  pictures.reserve(set->size());
  for (std::size_t i = 0; i < set->size(); ++i) {
    pictures.push_back({name, set, i, classes[set->label(i)]});
  }
  return pictures;
}

std::vector<Picture> pictures_in(const std::string& folder,
                                 const std::function<void(const std::string&)>& fail) {
  std::vector<Picture> pictures;
  for (const fs::path& path : data::find_images(folder, fail)) {
    pictures.push_back({.file = path.string()});
  }
  check(!pictures.empty(), folder, ": no pictures (.png, .jpg, .jpeg) in this directory");
  return pictures;
}

// Every choice and order equally likely.
void choose(std::vector<Picture>& pictures, const PictureOptions& options) {
  const std::size_t count = std::min(options.limit, pictures.size());
  if (options.shuffle) {
    Rng rng(*options.shuffle);
    for (std::size_t i = 0; i < count; ++i) {
      std::swap(pictures[i], pictures[i + rng.below(pictures.size() - i)]);
    }
  }
  pictures.resize(count);
}

}  // namespace

std::vector<Picture> find_pictures(const std::vector<std::string>& arguments,
                                   const PictureOptions& options,
                                   const std::function<void(const std::string&)>& fail) {
  std::vector<Picture> all;
  for (const std::string& argument : arguments) {
    std::error_code ignored;
    const bool of_set = names_dataset(argument);
    if (!of_set && (argument == kStandardInput || !fs::is_directory(argument, ignored))) {
      all.push_back({.file = argument});
      continue;
    }
    try {
      std::vector<Picture> found =
          of_set ? test_pictures(argument, options.labels) : pictures_in(argument, fail);
      choose(found, options);
      std::ranges::move(found, std::back_inserter(all));
    } catch (const Error& error) {
      fail(error.what());
    }
  }
  return all;
}

Prepared prepare(const Picture& picture, const data::Preprocessing& preprocessing,
                 std::size_t thumbnail_side) {
  Prepared prepared;
  try {
    const Stopwatch decode;
    const data::Image image = read_picture(picture);
    prepared.decode_ms = decode.milliseconds();
    const Stopwatch preprocess;
    prepared.input = data::preprocess(image, preprocessing);
    prepared.preprocess_ms = preprocess.milliseconds();
    if (thumbnail_side > 0) {
      prepared.thumbnail = thumbnail(image, thumbnail_side);
    }
  } catch (const std::bad_alloc&) {
    prepared.failure = picture.file + ": out of memory";
  } catch (const Error& error) {
    prepared.failure = error.what();
  }
  return prepared;
}

std::size_t pictures_ahead(std::size_t threads) { return std::clamp<std::size_t>(threads, 1, 4); }

}  // namespace lamina::apps

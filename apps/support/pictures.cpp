#include "apps/support/pictures.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <new>
#include <poll.h>
#include <unistd.h>

#include "apps/support/stop_signal.h"
#include "core/error.h"

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

data::Image read_picture(const std::string& picture) {
  return picture == kStandardInput ? data::decode_image(read_standard_input(), "standard input")
                                   : data::read_image(picture);
}

}  // namespace

std::vector<std::string> find_pictures(const std::vector<std::string>& arguments,
                                       const std::function<void(const std::string&)>& fail) {
  std::vector<std::string> pictures;
  for (const std::string& argument : arguments) {
    std::error_code ignored;
    if (argument == kStandardInput || !fs::is_directory(argument, ignored)) {
      pictures.push_back(argument);
      continue;
    }
    try {
      const std::vector<fs::path> found = data::find_images(argument, fail);
      check(!found.empty(), argument, ": no pictures (.png, .jpg, .jpeg) in this directory");
      for (const fs::path& path : found) {
        pictures.push_back(path.string());
      }
    } catch (const Error& error) {
      fail(error.what());
    }
  }
  return pictures;
}

Prepared prepare(const std::string& picture, const data::Preprocessing& preprocessing) {
  Prepared prepared;
  try {
    const Stopwatch decode;
    const data::Image image = read_picture(picture);
    prepared.decode_ms = decode.milliseconds();
    const Stopwatch preprocess;
    prepared.input = data::preprocess(image, preprocessing);
    prepared.preprocess_ms = preprocess.milliseconds();
  } catch (const std::bad_alloc&) {
    prepared.failure = picture + ": out of memory";
  } catch (const Error& error) {
    prepared.failure = error.what();
  }
  return prepared;
}

std::size_t pictures_ahead(std::size_t threads) { return std::clamp<std::size_t>(threads, 1, 4); }

}  // namespace lamina::apps

#include "data/gzip.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <zlib.h>

#include "core/error.h"

namespace lamina::data {
namespace {

// Deflate makes at most 258 bytes of two bits.
constexpr std::uint64_t kMaxRatio = 1032;
constexpr std::size_t kChunk = 1 << 20;

/// zlib's message without the path that it begins with.
std::string_view after_path(std::string_view message) {
  const std::size_t colon = message.rfind(": ");
  return colon == std::string_view::npos ? message : message.substr(colon + 2);
}

}  // namespace

struct GzipReader::Stream {
  gzFile file = nullptr;
  ~Stream() {
    if (file != nullptr) {
      gzclose(file);
    }
  }
};

GzipReader::GzipReader(std::string_view op, const std::filesystem::path& path)
    : name_(text(op, ": ", path.string())), stream_(std::make_unique<Stream>()) {
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  check(!error, name_, ": cannot be opened: ", error.message());
  check(regular, name_, ": must be a regular file");
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  check(!error, name_, ": cannot be read: ", error.message());
  errno = 0;
  stream_->file = gzopen(path.c_str(), "rbe");
  check(stream_->file != nullptr, name_,
        ": cannot be opened: ", std::generic_category().message(errno == 0 ? ENOMEM : errno));
  gzbuffer(stream_->file, 1 << 17);
  most_ = gzdirect(stream_->file) != 0 ? size : size * kMaxRatio;
}

GzipReader::~GzipReader() = default;

std::size_t GzipReader::read_some(std::uint8_t* to, std::size_t count) {
  const int got = gzread(stream_->file, to, static_cast<unsigned>(count));
  int code = Z_OK;
  const char* message = gzerror(stream_->file, &code);
  if (code == Z_ERRNO) {
    throw Error(text(name_, ": cannot be read: ", std::generic_category().message(errno)));
  }
  check(got >= 0 && code != Z_DATA_ERROR, name_, ": the gzip data is damaged, at byte ", offset_,
        " of what it holds or later: ", after_path(message));
  offset_ += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

std::vector<std::uint8_t> GzipReader::read(std::size_t count) {
  std::vector<std::uint8_t> bytes;
  while (bytes.size() < count) {
    const std::size_t size = bytes.size();
    const std::size_t wanted =
        std::min(count - size, std::max(kChunk, std::min(size, kChunk * 64)));
    bytes.resize(size + wanted);
    const std::size_t got = read_some(bytes.data() + size, wanted);
    check(got == wanted, name_, ": is truncated: ends after ", offset_, " bytes, at least ",
          offset_ - got - size + count, " expected");
  }
  return bytes;
}

void GzipReader::expect_end() {
  std::uint8_t byte = 0;
  const std::uint64_t size = offset_;
  check(read_some(&byte, 1) == 0, name_, ": must end after ", size, " bytes: has more");
  int code = Z_OK;
  gzerror(stream_->file, &code);
  check(code != Z_BUF_ERROR, name_, ": the gzip data is truncated after ", size, " bytes");
}

}  // namespace lamina::data

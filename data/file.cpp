#include "data/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/atomic_file.h"
#include "core/error.h"

namespace lamina::data {
namespace {

std::string reason() { return std::generic_category().message(errno); }

}  // namespace

std::vector<std::uint8_t> read_file(std::string_view op, const std::filesystem::path& path,
                                    std::size_t max_bytes) {
  constexpr std::size_t kChunk = 1 << 18;
  std::error_code no_size;  // of a pipe
  const std::uintmax_t expected = std::filesystem::file_size(path, no_size);
  const FileHandle file(std::fopen(path.c_str(), "rb"));
  check(file != nullptr, op, ": ", path.string(), ": cannot be opened: ", reason());
  std::setvbuf(file.get(), nullptr, _IONBF, 0);
  std::vector<std::uint8_t> bytes;
  check(no_size || expected <= max_bytes, op, ": ", path.string(),
        ": has more bytes than the limit, ", max_bytes);
  if (!no_size) {
    bytes.resize(static_cast<std::size_t>(expected) + 1);  // the last byte finds the end
  }
  std::size_t size = 0;
  while (true) {
    if (bytes.size() == size) {
      bytes.resize(size + std::max(kChunk, size / 2));
    }
    const std::size_t count = std::fread(bytes.data() + size, 1, bytes.size() - size, file.get());
    check(std::ferror(file.get()) == 0, op, ": ", path.string(), ": cannot be read: ", reason());
    size += count;
    check(size <= max_bytes, op, ": ", path.string(), ": has more bytes than the limit, ",
          max_bytes);
    if (count == 0) {
      bytes.resize(size);
      return bytes;
    }
  }
}

}  // namespace lamina::data

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::data {

/// The bytes of a regular file from its begin to its end; what gzip compressed as it was before.
/// Errors are thrown in the name of `op` and of the file.
class GzipReader {
 public:
  /// Throws Error when the file cannot be opened or is not a regular one.
  GzipReader(std::string_view op, const std::filesystem::path& path);
  ~GzipReader();
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;

  /// The next `count` bytes. Takes memory as they arrive. Throws Error when there are fewer or the
  /// compressed data is damaged.
  std::vector<std::uint8_t> read(std::size_t count);

  /// Throws Error unless all bytes have been read, and the checksum after them is right.
  void expect_end();

  /// The most bytes that a file of this size can hold.
  std::uint64_t most() const { return most_; }

 private:
  std::size_t read_some(std::uint8_t* to, std::size_t count);

  struct Stream;
  std::string name_;  // "op: path"
  std::uint64_t most_ = 0;
  std::uint64_t offset_ = 0;
  std::unique_ptr<Stream> stream_;
};

}  // namespace lamina::data

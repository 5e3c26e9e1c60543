#include "tests/data/idx_files.h"

#include <zlib.h>

#include "tests/support/folder.h"

namespace lamina::test {

std::string idx_bytes(const std::vector<std::uint32_t>& extents, const std::string& values) {
  std::string bytes = {0, 0, 8, static_cast<char>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (const unsigned shift : {24u, 16u, 8u, 0u}) {
      bytes.push_back(static_cast<char>(extent >> shift & 0xff));
    }
  }
  return bytes + values;
}

std::string gzip(const std::string& bytes) {
  constexpr int kGzipWindow = 15 + 16;
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, kGzipWindow, 9, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::string input = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

void write_idx_files(const std::filesystem::path& folder, const IdxSample& sample) {
  for (const auto& [part, count] : {std::pair("train", sample.train), {"t10k", sample.test}}) {
    std::string pixels, labels;
    for (std::size_t i = 0; i < count; ++i) {
      labels.push_back(static_cast<char>(i % sample.classes));
      for (std::size_t p = 0; p < 6; ++p) {
        pixels.push_back(static_cast<char>(10 * i + p));
      }
    }
    const auto extent = static_cast<std::uint32_t>(count);
    write_file(folder / (std::string(part) + "-images-idx3-ubyte.gz"),
               gzip(idx_bytes({extent, 2, 3}, pixels)));
    write_file(folder / (std::string(part) + "-labels-idx1-ubyte"), idx_bytes({extent}, labels));
  }
}

}  // namespace lamina::test

#include "models/checkpoint/torch/zip.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <zlib.h>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"
#include "models/checkpoint/torch/zip_directory.h"

namespace lamina::models::torch {
namespace {

// Content of an empty entry, so that null means "not read".
constexpr std::uint8_t kNothing = 0;

std::uint32_t checksum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

class Inflater {
 public:
  Inflater() { is_open_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (is_open_) {
      inflateEnd(&stream_);
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // True when `from` is one deflated stream that fills `to`.
  bool run(std::span<const std::uint8_t> from, std::span<std::uint8_t> to) {
    int state = is_open_ ? Z_OK : Z_MEM_ERROR;
    stream_.next_in = const_cast<std::uint8_t*>(from.data());  // zlib only reads it
    stream_.next_out = to.data();
    std::size_t in = from.size(), out = to.size();
    while (state == Z_OK) {
      const uInt in_now = stream_.avail_in = chunk(in);
      const uInt out_now = stream_.avail_out = chunk(out);
      state = inflate(&stream_, Z_NO_FLUSH);
      in -= in_now - stream_.avail_in;
      out -= out_now - stream_.avail_out;
    }
    return state == Z_STREAM_END && in == 0 && out == 0;
  }

 private:
  static uInt chunk(std::size_t size) {
    return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
  }

  z_stream stream_ = {};
  bool is_open_ = false;
};

void check_growth(const std::vector<ZipEntry>& entries, std::uint64_t file,
                  const std::string& prefix) {
  const std::uint64_t most = file * limits::kZipGrowth + limits::kZipFree;
  std::uint64_t total = 0;
  for (const ZipEntry& entry : entries) {
    if (entry.is_deflated) {
      check(entry.size <= limits::kZipFree || entry.size / limits::kZipRatio <= entry.stored.size(),
            prefix, "zip entry ", shown(entry.name), ": must inflate to at most ",
            limits::kZipRatio, " times its size: it has ", entry.stored.size(), " bytes for ",
            entry.size);
      check(entry.size <= most - total, prefix, "zip entries must inflate to at most ", most,
            " bytes together, for a file of ", file, ": they need more with ", shown(entry.name));
      total += entry.size;
    }
  }
}

}  // namespace

Zip::Zip(std::span<const std::uint8_t> bytes, std::string prefix)
    : prefix_(std::move(prefix)),
      entries_(read_zip_directory(bytes, prefix_)),
      contents_(entries_.size()),
      inflated_(std::make_shared<std::vector<std::unique_ptr<std::uint8_t[]>>>()) {
  check_growth(entries_, bytes.size(), prefix_);
}

const ZipEntry* Zip::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(entries_, name, {}, &ZipEntry::name);
  return found != entries_.end() && found->name == name ? &*found : nullptr;
}

std::span<const std::uint8_t> Zip::read(const ZipEntry& entry) {
  const std::uint8_t*& content = contents_[static_cast<std::size_t>(&entry - entries_.data())];
  if (content == nullptr) {
    std::span<const std::uint8_t> bytes = entry.stored;
    if (entry.is_deflated) {
      auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(entry.size);
      check(Inflater().run(entry.stored, {memory.get(), entry.size}), prefix_, "zip entry ",
            shown(entry.name), ": must be one deflated stream of ", entry.size, " bytes");
      bytes = {memory.get(), entry.size};
      inflated_->push_back(std::move(memory));
    }
    const std::uint32_t sum = checksum(bytes);
    check(sum == entry.crc, prefix_, "zip entry ", shown(entry.name),
          ": content must match its checksum: it has ", sum, ", should have ", entry.crc);
    content = bytes.empty() ? &kNothing : bytes.data();
  }
  return {content, entry.size};
}

}  // namespace lamina::models::torch

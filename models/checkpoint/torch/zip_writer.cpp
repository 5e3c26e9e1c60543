#include "models/checkpoint/torch/zip_writer.h"

#include <limits>
#include <zlib.h>

#include "core/error.h"
#include "models/checkpoint/torch/bytes.h"

namespace lamina::models::torch {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLocalBytes = 30;
constexpr std::uint16_t kPadding = 0x4246;  // the extra field that PyTorch pads with
constexpr std::uint16_t kUtf8 = 1 << 11;
constexpr std::uint16_t kFirstDay = 1 << 5 | 1;  // of 1980

template <class Number>
void put(std::string& bytes, Number number) {
  bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

ZipWriter::ZipWriter(const std::filesystem::path& path) : path_(path), file_("torch", path) {}

void ZipWriter::write(std::string_view bytes) {
  size_ += bytes.size();
  check(size_ < std::numeric_limits<std::uint32_t>::max(), "torch: ", path_.string(),
        ": file must stay below 4 GiB: it would have more");
  file_.write(bytes.data(), bytes.size());
}

void ZipWriter::add(std::string_view name, std::span<const std::uint8_t> content) {
  check(content.size() < std::numeric_limits<std::uint32_t>::max(), "torch: ", path_.string(),
        ": file must stay below 4 GiB: one tensor has ", content.size(), " bytes");
  const auto size = static_cast<std::uint32_t>(content.size());
  std::string common;  // of both headers
  for (const std::uint16_t number :
       {std::uint16_t{20}, kUtf8, std::uint16_t{0}, std::uint16_t{0}, kFirstDay}) {
    put(common, number);
  }
  put(common, static_cast<std::uint32_t>(crc32_z(0, content.data(), content.size())));
  put(common, size);
  put(common, size);
  put(common, static_cast<std::uint16_t>(name.size()));

  directory_ += "PK\1\2";
  put(directory_, std::uint16_t{20});
  directory_ += common;
  directory_.append(12, '\0');  // no extra field, comment or attributes
  put(directory_, static_cast<std::uint32_t>(size_));
  directory_ += name;
  ++entries_;

  std::string local = "PK\3\4" + common;
  const std::size_t plain = size_ + kLocalBytes + name.size() + 4;
  const std::size_t padding = (kAlignment - plain % kAlignment) % kAlignment;
  put(local, static_cast<std::uint16_t>(padding + 4));
  local += name;
  put(local, kPadding);
  put(local, static_cast<std::uint16_t>(padding));
  local.append(padding, 'Z');
  write(local);
  write(text_of(content));
}

void ZipWriter::commit() {
  check(entries_ < std::numeric_limits<std::uint16_t>::max(), "torch: ", path_.string(),
        ": must have at most 65534 entries: it would have ", entries_);
  std::string end = "PK\5\6";
  put(end, std::uint32_t{0});
  put(end, static_cast<std::uint16_t>(entries_));
  put(end, static_cast<std::uint16_t>(entries_));
  put(end, static_cast<std::uint32_t>(directory_.size()));
  put(end, static_cast<std::uint32_t>(size_));
  put(end, std::uint16_t{0});
  write(directory_);
  write(end);
  file_.commit();
}

}  // namespace lamina::models::torch

#include "models/checkpoint/torch/zip_directory.h"

#include <algorithm>
#include <optional>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"

namespace lamina::models::torch {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kDescriptor = 0x08074b50;
constexpr std::uint32_t kDirectoryHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::uint64_t kLocalBytes = 30, kDirectoryBytes = 46, kEndBytes = 22;
constexpr std::uint64_t kEnd64Bytes = 56, kLocatorBytes = 20, kMaxComment = 0xffff;

constexpr std::uint16_t kHasDescriptor = 1 << 3;
constexpr std::uint16_t kKnownFlags = 0b110 | kHasDescriptor | 1 << 11;
constexpr std::uint16_t kDeflated = 8;
constexpr std::uint16_t kExtra64 = 1;
constexpr std::uint16_t kIn64 = 0xffff;
constexpr std::uint32_t kIn64Long = 0xffffffff;

struct Directory {
  std::uint64_t entries = 0, size = 0, offset = 0;
};

// What a local header and the directory both say of an entry.
struct Header {
  std::uint16_t flags = 0, method = 0;
  std::uint32_t crc = 0;
  std::uint64_t stored = 0, size = 0, offset = 0;
  std::span<const std::uint8_t> name = {};
};

struct Extent {
  std::uint64_t begin, end;
  std::string_view name;
};

class DirectoryReader {
 public:
  DirectoryReader(std::span<const std::uint8_t> bytes, const std::string& prefix)
      : bytes_(bytes), prefix_(prefix) {}

  std::vector<ZipEntry> read() {
    directory_ = find_directory();
    std::vector<ZipEntry> entries;
    std::vector<Extent> extents;
    std::uint64_t at = directory_.offset;
    for (std::uint64_t i = 0; i < directory_.entries; ++i) {
      const Header header = read_directory_header(at);
      entries.push_back(locate(header, extents));
    }
    require(at == directory_.offset + directory_.size,
            "zip directory must end where its headers do: at ", directory_.offset + directory_.size,
            ", they end at ", at);
    check_extents(extents);
    check_names(entries);
    return entries;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  std::uint16_t u16(std::uint64_t at) const { return number_at<std::uint16_t>(bytes_, at); }
  std::uint32_t u32(std::uint64_t at) const { return number_at<std::uint32_t>(bytes_, at); }
  std::uint64_t u64(std::uint64_t at) const { return number_at<std::uint64_t>(bytes_, at); }

  bool fits(std::uint64_t at, std::uint64_t size) const {
    return at <= bytes_.size() && size <= bytes_.size() - at;
  }

  std::uint64_t find_end() const {
    for (std::uint64_t comment = 0; comment <= kMaxComment && fits(0, kEndBytes + comment);
         ++comment) {
      const std::uint64_t at = bytes_.size() - kEndBytes - comment;
      if (u32(at) == kEnd && u16(at + 20) == comment) {
        return at;
      }
    }
    throw Error(text(prefix_, "is no whole zip archive: the last ",
                     std::min<std::uint64_t>(bytes_.size(), kEndBytes + kMaxComment),
                     " bytes hold no end record"));
  }

  Directory find_directory() const {
    std::uint64_t end = find_end();
    require((u16(end + 4) == 0 || u16(end + 4) == kIn64) &&
                (u16(end + 6) == 0 || u16(end + 6) == kIn64) && u16(end + 8) == u16(end + 10),
            "zip archive must be one file: it is part ", u16(end + 4), " of several");
    Directory directory{u16(end + 10), u32(end + 12), u32(end + 16)};
    if (end >= kLocatorBytes && u32(end - kLocatorBytes) == kLocator64) {
      end = widen(end - kLocatorBytes, directory);
    }
    require(directory.size <= end && directory.offset == end - directory.size,
            "zip directory must end where the end record begins: it has ", directory.size,
            " bytes from ", directory.offset, ", the record begins at ", end);
    require(directory.entries <= limits::kZipEntries &&
                directory.entries <= directory.size / kDirectoryBytes,
            "zip archive must have at most ", limits::kZipEntries, " entries, of ", kDirectoryBytes,
            " bytes or more in its directory: it has ", directory.entries, " in ", directory.size,
            " bytes");
    return directory;
  }

  // Takes the 64-bit numbers and gives where their record begins.
  std::uint64_t widen(std::uint64_t locator, Directory& directory) const {
    const std::uint64_t end = u64(locator + 8);
    require(fits(end, kEnd64Bytes) && u32(end) == kEnd64 && end <= locator - kEnd64Bytes &&
                u64(end + 4) == locator - end - 12,
            "zip64 end record must lie before its locator, at ", end);
    require(u32(locator + 4) == 0 && u32(locator + 16) <= 1 && u32(end + 16) == 0 &&
                u32(end + 20) == 0 && u64(end + 24) == u64(end + 32),
            "zip archive must be one file: it is part ", u32(end + 16), " of several");
    const Directory wide{u64(end + 32), u64(end + 40), u64(end + 48)};
    require((directory.entries == wide.entries || directory.entries == kIn64) &&
                (directory.size == wide.size || directory.size == kIn64Long) &&
                (directory.offset == wide.offset || directory.offset == kIn64Long),
            "zip end records must agree: directory of ", directory.entries, " entries in ",
            directory.size, " bytes at ", directory.offset, ", in zip64 ", wide.entries, " in ",
            wide.size, " bytes at ", wide.offset);
    directory = wide;
    return end;
  }

  // Where 32 bits are not enough, the numbers stand in an extra field, in this order.
  void widen(Header& header, std::span<const std::uint8_t> extra) const {
    while (extra.size() >= 4) {
      const auto id = number_at<std::uint16_t>(extra, 0);
      const std::size_t size = number_at<std::uint16_t>(extra, 2);
      require(size <= extra.size() - 4, entry(header), "extra field must fit: it has ", size,
              " bytes of ", extra.size() - 4);
      if (id == kExtra64) {
        std::span<const std::uint8_t> numbers = extra.subspan(4, size);
        for (std::uint64_t* number : {&header.size, &header.stored, &header.offset}) {
          if (*number == kIn64Long) {
            require(numbers.size() >= 8, entry(header), "zip64 field must hold its sizes: it has ",
                    size, " bytes");
            *number = number_at<std::uint64_t>(numbers, 0);
            numbers = numbers.subspan(8);
          }
        }
        return;
      }
      extra = extra.subspan(4 + size);
    }
  }

  static std::string entry(const Header& header) {
    return text("zip entry ", shown(text_of(header.name)), ": ");
  }

  Header read_directory_header(std::uint64_t& at) const {
    const std::uint64_t end = directory_.offset + directory_.size;
    require(kDirectoryBytes <= end - at && u32(at) == kDirectoryHeader,
            "zip directory must have a header for each entry: there is none at ", at);
    const std::uint64_t name = u16(at + 28), extra = u16(at + 30), comment = u16(at + 32);
    require(name + extra + comment <= end - at - kDirectoryBytes,
            "zip directory must hold its names: the header at ", at, " goes on for ",
            name + extra + comment, " bytes, the directory for ", end - at - kDirectoryBytes);
    Header header{.flags = u16(at + 8),
                  .method = u16(at + 10),
                  .crc = u32(at + 16),
                  .stored = u32(at + 20),
                  .size = u32(at + 24),
                  .offset = u32(at + 42),
                  .name = bytes_.subspan(at + kDirectoryBytes, name)};
    require(name > 0 && name <= limits::kZipName, "zip entry's name must have 1 to ",
            limits::kZipName, " bytes: the header at ", at, " says ", name);
    widen(header, bytes_.subspan(at + kDirectoryBytes + name, extra));
    check_kind(header, u16(at + 34));
    at += kDirectoryBytes + name + extra + comment;
    return header;
  }

  void check_kind(const Header& header, std::uint16_t disk) const {
    require((header.flags & 1) == 0, entry(header), "must not be encrypted");
    require((header.flags & ~kKnownFlags) == 0, entry(header),
            "flags must be known ones: they are ", header.flags);
    require(header.method == 0 || header.method == kDeflated, entry(header),
            "must be stored or deflated: its method is ", header.method);
    require(header.method != 0 || header.stored == header.size, entry(header),
            "sizes must agree where it is stored: ", header.stored, " bytes of ", header.size);
    require(disk == 0 || disk == kIn64, entry(header), "must lie in this file: it is in part ",
            disk);
  }

  ZipEntry locate(const Header& header, std::vector<Extent>& extents) const {
    const std::uint64_t at = header.offset;
    require(
        at <= directory_.offset && kLocalBytes <= directory_.offset - at && u32(at) == kLocalHeader,
        entry(header), "must have a local header: there is none at ", at);
    const std::uint64_t name = u16(at + 26), extra = u16(at + 28);
    const std::uint64_t rest = directory_.offset - at - kLocalBytes;
    require(name + extra <= rest && header.stored <= rest - name - extra, entry(header),
            "must end before the directory: it needs ", header.stored, " bytes, there are ",
            rest - std::min(rest, name + extra));
    Header local{.flags = u16(at + 6),
                 .method = u16(at + 8),
                 .crc = u32(at + 14),
                 .stored = u32(at + 18),
                 .size = u32(at + 22),
                 .name = bytes_.subspan(at + kLocalBytes, name)};
    widen(local, bytes_.subspan(at + kLocalBytes + name, extra));
    check_same(header, local);
    const std::uint64_t begin = at + kLocalBytes + name + extra;
    const std::uint64_t end = begin + header.stored;
    extents.push_back({at, end + descriptor_bytes(header, end), text_of(header.name)});
    return {text_of(header.name), bytes_.subspan(begin, header.stored), header.size, header.crc,
            header.method == kDeflated};
  }

  // Sizes that follow the content may be missing before it.
  void check_same(const Header& header, const Header& local) const {
    const bool later = (header.flags & kHasDescriptor) != 0;
    const auto same = [&](std::uint64_t central, std::uint64_t here) {
      return central == here || (later && here == 0);
    };
    require(std::ranges::equal(header.name, local.name), entry(header),
            "local header must have its name: it has ", shown(text_of(local.name)));
    require(header.flags == local.flags && header.method == local.method, entry(header),
            "local header must agree: flags and method are ", local.flags, " and ", local.method,
            ", in the directory ", header.flags, " and ", header.method);
    require(same(header.crc, local.crc) && same(header.stored, local.stored) &&
                same(header.size, local.size),
            entry(header), "local header must agree: ", local.stored, " bytes for ", local.size,
            " with checksum ", local.crc, ", in the directory ", header.stored, " for ",
            header.size, " with ", header.crc);
  }

  // With or without signature, sizes of 32 or 64 bits: nothing says which.
  std::uint64_t descriptor_bytes(const Header& header, std::uint64_t at) const {
    if ((header.flags & kHasDescriptor) == 0) {
      return 0;
    }
    const std::uint64_t room = directory_.offset - at;
    const std::uint64_t mark = room >= 4 && u32(at) == kDescriptor ? 4 : 0;
    for (const std::uint64_t skip : {mark, std::uint64_t{0}}) {
      const std::uint64_t crc = at + skip;
      if (room >= skip + 20 && u32(crc) == header.crc && u64(crc + 4) == header.stored &&
          u64(crc + 12) == header.size) {
        return skip + 20;
      }
      if (room >= skip + 12 && u32(crc) == header.crc && u32(crc + 4) == header.stored &&
          u32(crc + 8) == header.size) {
        return skip + 12;
      }
    }
    throw Error(text(prefix_, entry(header), "data descriptor must follow and agree: the one at ",
                     at, " does not"));
  }

  void check_extents(std::vector<Extent>& extents) const {
    std::ranges::sort(extents, {}, &Extent::begin);
    for (std::size_t i = 1; i < extents.size(); ++i) {
      require(extents[i - 1].end <= extents[i].begin,
              "zip entries must not overlap: ", shown(extents[i - 1].name), " ends at ",
              extents[i - 1].end, ", ", shown(extents[i].name), " begins at ", extents[i].begin);
    }
  }

  void check_names(std::vector<ZipEntry>& entries) const {
    std::ranges::sort(entries, {}, &ZipEntry::name);
    const auto twice = std::ranges::adjacent_find(entries, {}, &ZipEntry::name);
    if (twice != entries.end()) {
      throw Error(text(prefix_, "zip entries must have different names: ", shown(twice->name),
                       " comes twice"));
    }
  }

  std::span<const std::uint8_t> bytes_;
  const std::string& prefix_;
  Directory directory_;
};

}  // namespace

std::vector<ZipEntry> read_zip_directory(std::span<const std::uint8_t> bytes,
                                         const std::string& prefix) {
  return DirectoryReader(bytes, prefix).read();
}

}  // namespace lamina::models::torch

#include "tests/models/torch/samples.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <zlib.h>

namespace lamina::test {
namespace {

std::string little(std::uint64_t number, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) {
    text += static_cast<char>(i < sizeof number ? number >> (8 * i) & 255 : 0);
  }
  return text;
}

std::string joined(const std::vector<std::string>& items) {
  return std::accumulate(items.begin(), items.end(), std::string());
}

std::string deflate(const std::string& content) {
  std::string out(content.size() + 1024, '\0');
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::uint64_t changed(std::uint64_t number, std::int64_t change) {
  return number + static_cast<std::uint64_t>(change);
}

// What both headers of an entry hold.
struct Parts {
  std::string stored;
  std::uint64_t crc, size, flags, method;
};

Parts parts_of(const ZipSample& entry) {
  Parts parts{.stored = entry.deflated ? deflate(entry.content) : entry.content,
              .crc = crc32(0, reinterpret_cast<const Bytef*>(entry.content.data()),
                           static_cast<uInt>(entry.content.size())),
              .size = changed(entry.content.size(), entry.size_change),
              .flags = entry.flags | (entry.with_descriptor ? 8u : 0u),
              .method = entry.deflated ? 8u : 0u};
  parts.crc = changed(parts.crc, entry.crc_change) & 0xffffffff;
  parts.method = entry.method < 0 ? parts.method : static_cast<std::uint64_t>(entry.method);
  return parts;
}

std::string local_part(const ZipSample& entry, const Parts& parts) {
  const std::string name = entry.local_name.empty() ? entry.name : entry.local_name;
  const bool later = entry.with_descriptor;
  std::string header = "PK\3\4" + little(20, 2) + little(parts.flags | entry.local_flags, 2) +
                       little(parts.method, 2) + little(0, 4);
  header += little(later ? 0 : parts.crc, 4);
  const std::uint64_t size = changed(parts.size, entry.local_size_change);
  header += little(later ? 0 : parts.stored.size(), 4) + little(later ? 0 : size, 4);
  header += little(name.size(), 2) + little(0, 2) + name + parts.stored;
  if (later) {
    const std::size_t width = entry.wide ? 8 : 4;
    header += (entry.with_signature ? "PK\7\10" : "") + little(parts.crc, 4) +
              little(changed(parts.stored.size(), entry.descriptor_change), width) +
              little(parts.size, width);
  }
  return header;
}

std::string directory_part(const ZipSample& entry, const Parts& parts, std::uint64_t offset) {
  const std::uint64_t saturated = 0xffffffff;
  const std::string extra = little(1, 2) + little(24, 2) + little(parts.size, 8) +
                            little(parts.stored.size(), 8) + little(offset, 8);
  return "PK\1\2" + little(20, 2) + little(20, 2) + little(parts.flags, 2) +
         little(parts.method, 2) + little(0, 4) + little(parts.crc, 4) +
         little(entry.wide ? saturated : parts.stored.size(), 4) +
         little(entry.wide ? saturated : parts.size, 4) + little(entry.name.size(), 2) +
         little(entry.wide ? extra.size() : 0, 2) + little(0, 10) +
         little(entry.wide ? saturated : offset, 4) + entry.name + (entry.wide ? extra : "");
}

}  // namespace

namespace pickled {

std::string string(const std::string& value) { return 'X' + little(value.size(), 4) + value; }

std::string integer(std::int64_t value) {
  const bool small = value >= 0 && value < 256;
  return small ? 'K' + little(static_cast<std::uint64_t>(value), 1)
               : "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8);
}

std::string real(double value) {
  std::string bytes = little(std::bit_cast<std::uint64_t>(value), 8);
  std::ranges::reverse(bytes);
  return 'G' + bytes;
}

std::string global(const std::string& module, const std::string& name) {
  return 'c' + module + '\n' + name + '\n';
}

std::string tuple(const std::vector<std::string>& items) { return '(' + joined(items) + 't'; }
std::string list(const std::vector<std::string>& items) { return "](" + joined(items) + 'e'; }
std::string dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + 'u';
}

std::string call(const std::string& callee, const std::vector<std::string>& arguments) {
  return callee + tuple(arguments) + 'R';
}

std::string storage(const std::string& type, const std::string& key, std::int64_t count) {
  return tuple({string("storage"), global("torch", type), string(key), string("cpu"),
                integer(count)}) +
         'Q';
}

std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
  std::vector<std::string> extents, steps;
  std::ranges::transform(shape, std::back_inserter(extents), integer);
  std::ranges::transform(strides, std::back_inserter(steps), integer);
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, integer(offset), tuple(extents), tuple(steps), "\x89",
               call(global("collections", "OrderedDict"), {})});
}

}  // namespace pickled

std::string pickle_of(const std::string& value) { return "\x80\x02" + value + '.'; }

std::string zip_of(const std::vector<ZipSample>& entries, const ZipEnd& end) {
  std::string file, directory;
  for (const ZipSample& entry : entries) {
    const Parts parts = parts_of(entry);
    directory += directory_part(entry, parts, changed(file.size(), entry.offset_change));
    file += local_part(entry, parts);
  }
  const std::uint64_t count = changed(entries.size(), end.entries_change);
  const std::uint64_t size = changed(directory.size(), end.size_change);
  const std::uint64_t offset = changed(file.size(), end.offset_change);
  file += directory;
  if (end.wide) {
    const std::uint64_t at = file.size();
    file += "PK\6\6" + little(44, 8) + little(45, 4) + little(end.disk, 4) + little(0, 4) +
            little(count, 8) + little(count, 8) + little(size, 8) + little(offset, 8);
    file += "PK\6\7" + little(0, 4) + little(at, 8) + little(1, 4);
  }
  return file + "PK\5\6" + little(end.wide ? 0 : end.disk, 2) + little(0, 2) +
         little(end.wide ? 0xffff : count, 2) + little(end.wide ? 0xffff : count, 2) +
         little(end.wide ? 0xffffffff : size, 4) + little(end.wide ? 0xffffffff : offset, 4) +
         little(end.comment.size(), 2) + end.comment;
}

std::string torch_zip(const std::string& object,
                      const std::map<std::string, std::string>& storages) {
  std::vector<ZipSample> entries = {{.name = "archive/data.pkl", .content = object}};
  for (const auto& [key, bytes] : storages) {
    entries.push_back({.name = "archive/data/" + key, .content = bytes, .with_descriptor = true});
  }
  entries.push_back({.name = "archive/version", .content = "3\n"});
  return zip_of(entries, {.wide = true});
}

std::string torch_legacy(const std::string& object, const std::vector<LegacyStorage>& storages) {
  using namespace pickled;
  std::string file = pickle_of("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19") +
                     pickle_of(integer(1001)) + pickle_of(dict({string("little_endian"), "\x88"})) +
                     object;
  std::vector<std::string> keys;
  std::string data;
  for (const LegacyStorage& storage : storages) {
    keys.push_back(string(storage.key));
    data += little(static_cast<std::uint64_t>(storage.count), 8) + storage.bytes;
  }
  return file + pickle_of(list(keys)) + data;
}

std::vector<std::uint8_t> bytes_of(const std::string& file) { return {file.begin(), file.end()}; }

}  // namespace lamina::test

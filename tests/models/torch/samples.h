#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// PyTorch's files piece by piece, so that tests can make what no program writes.
namespace lamina::test {

/// Opcodes of Python's pickle protocol 2 that leave one value on the stack.
namespace pickled {
std::string string(const std::string& value);
std::string integer(std::int64_t value);
std::string real(double value);
std::string global(const std::string& module, const std::string& name);
std::string tuple(const std::vector<std::string>& items);
std::string list(const std::vector<std::string>& items);
std::string dict(const std::vector<std::string>& keys_and_values);
std::string call(const std::string& callee, const std::vector<std::string>& arguments);
std::string storage(const std::string& type, const std::string& key, std::int64_t count);
std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides);
inline const std::string kNone = "N";
}  // namespace pickled

/// A whole pickle of those opcodes.
std::string pickle_of(const std::string& value);

/// An entry of a zip archive as APPNOTE.TXT lays it out; what is not said is right.
struct ZipSample {
  std::string name, content;
  bool deflated = false;
  bool with_descriptor = false;
  bool with_signature = true;  ///< of the descriptor
  bool wide = false;           ///< sizes in zip64 fields
  std::uint16_t flags = 0;     ///< more of them, in both headers
  std::uint16_t local_flags = 0;
  int method = -1;
  std::string local_name = {};
  std::int64_t crc_change = 0, local_size_change = 0, size_change = 0, descriptor_change = 0;
  std::int64_t offset_change = 0;
};

/// Counts and places of the directory, where a test wants wrong ones.
struct ZipEnd {
  bool wide = false;  ///< zip64 records, as PyTorch always writes
  std::int64_t entries_change = 0, size_change = 0, offset_change = 0;
  std::uint16_t disk = 0;
  std::string comment = {};
};

std::string zip_of(const std::vector<ZipSample>& entries, const ZipEnd& end = {});

/// What torch.save writes: the pickle and the storages by their keys.
std::string torch_zip(const std::string& object,
                      const std::map<std::string, std::string>& storages);

/// The form before PyTorch 1.6; a storage is its count and its bytes.
struct LegacyStorage {
  std::string key;
  std::int64_t count;
  std::string bytes;
};
std::string torch_legacy(const std::string& object, const std::vector<LegacyStorage>& storages);

std::vector<std::uint8_t> bytes_of(const std::string& file);

}  // namespace lamina::test

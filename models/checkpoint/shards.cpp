#include "models/checkpoint/shards.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/safetensors.h"

namespace lamina::models {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Index = std::map<std::string, std::string>;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) {
      close(value_);
    }
  }
  operator int() const { return value_; }

 private:
  int value_;
};

class ShardReader {
 public:
  explicit ShardReader(const std::filesystem::path& path)
      : path_(path), prefix_(text("checkpoint: ", path.string(), ": ")), folder_(open_folder()) {}

  Archive read(std::span<const std::uint8_t> bytes) {
    const Index index =
        parse_index({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, prefix_);
    std::set<std::string> names;
    for (const auto& [tensor, file] : index) {
      names.insert(file);
    }
    check(names.size() <= limits::kShards, prefix_, "must have at most ", limits::kShards,
          " files: it has ", names.size());
    auto files = std::make_shared<std::map<std::string, Bytes>>();
    Archive all{.container = text("safetensors in ", names.size(), " files")};
    for (const std::string& name : names) {
      const Bytes& file = files->emplace(name, read_file(name)).first->second;
      add(parse_safetensors(file, (path_.parent_path() / name).string()), name, index, all);
    }
    check_complete(index, all);
    all.file = std::move(files);
    return all;
  }

 private:
  int open_folder() const {
    const std::filesystem::path parent = path_.parent_path();
    return open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }

  [[noreturn]] void refuse(const std::string& name, std::string_view why) const {
    throw Error(text(prefix_, "its file ", in_quotes(name), why));
  }

  Bytes read_file(const std::string& name) {
    if (name.empty() || name == "." || name == ".." ||
        name.find_first_of(std::string_view("/\0", 2)) != std::string::npos) {
      refuse(name, " must be a plain name beside it");
    }
    const Descriptor file(
        openat(folder_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file < 0) {
      refuse(name, errno == ELOOP ? " must not be a symbolic link"
                                  : text(" cannot be opened: ", std::strerror(errno)));
    }
    struct stat status {};
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
      refuse(name, " must be a regular file");
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    total_ += size;
    check(total_ <= limits::kFile, prefix_, "its files must have at most ", limits::kFile,
          " bytes: they have more");
    Bytes bytes(size);
    for (std::size_t done = 0; done < size;) {
      const ssize_t count = ::read(file, bytes.data() + done, size - done);
      if (count <= 0 && !(count < 0 && errno == EINTR)) {
        refuse(name, " cannot be read");
      }
      done += count > 0 ? static_cast<std::size_t>(count) : 0;
    }
    return bytes;
  }

  void add(Archive shard, const std::string& name, const Index& index, Archive& all) const {
    for (auto& [tensor, stored] : shard.tensors) {
      const auto said = index.find(tensor);
      if (said == index.end() || said->second != name) {
        refuse(name, text(" must hold no other tensors than it says: it has ", in_quotes(tensor)));
      }
      all.tensors.emplace(tensor, std::move(stored));
    }
    all.metadata.merge(shard.metadata);
  }

  void check_complete(const Index& index, const Archive& all) const {
    for (const auto& [tensor, name] : index) {
      if (!all.tensors.contains(tensor)) {
        refuse(name, text(" must hold ", in_quotes(tensor), ": it does not"));
      }
    }
  }

  const std::filesystem::path& path_;
  std::string prefix_;
  Descriptor folder_;
  std::uint64_t total_ = 0;
};

}  // namespace

bool begins_as_index(std::span<const std::uint8_t> bytes) {
  std::uint64_t length = limits::kSafetensorsHeader + 1;
  if (bytes.size() >= sizeof length) {
    std::memcpy(&length, bytes.data(), sizeof length);
  }
  const std::string_view beginning(reinterpret_cast<const char*>(bytes.data()),
                                   std::min<std::size_t>(bytes.size(), 64));
  const std::size_t first = beginning.find_first_not_of(" \t\r\n");
  return length > limits::kSafetensorsHeader && first != std::string_view::npos &&
         beginning[first] == '{';
}

Archive read_shards(std::span<const std::uint8_t> index, const std::filesystem::path& path) {
  check(index.size() <= limits::kSafetensorsHeader, "checkpoint: ", path.string(),
        ": its index must have at most ", limits::kSafetensorsHeader, " bytes: it has ",
        index.size());
  return ShardReader(path).read(index);
}

}  // namespace lamina::models

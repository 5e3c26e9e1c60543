#include "models/checkpoint/onnx/external_data.h"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/error.h"

namespace lamina::models::onnx {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_;
};

std::string reason() { return std::generic_category().message(errno); }

struct Reference {
  std::string location = {};
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

std::uint64_t number_of(const proto::Entry& entry) {
  const std::string& digits = entry.value();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  check(error == std::errc() && end == digits.data() + digits.size(), "external data's ",
        entry.key(), " must be a number: got ", shortened(digits));
  return number;
}

Reference reference_of(const proto::Tensor& tensor, std::size_t size) {
  Reference reference{.length = size};
  for (const proto::Entry& entry : tensor.external_data()) {
    if (entry.key() == "location") {
      reference.location = entry.value();
    } else if (entry.key() == "offset") {
      reference.offset = number_of(entry);
    } else if (entry.key() == "length") {
      reference.length = number_of(entry);
    }
  }
  return reference;
}

void check_name(const std::string& name) {
  constexpr std::string_view kForeign("/\\\0", 3);
  const bool plain = !name.empty() && name != "." && name != ".." &&
                     name.find_first_of(kForeign) == std::string::npos;
  check(plain, "external data must be a file beside the model, named without a folder: got ",
        shortened(name));
}

std::vector<std::uint8_t> read_range(const Descriptor& file, const Reference& range) {
  std::vector<std::uint8_t> bytes(range.length);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file.number(), bytes.data() + done, bytes.size() - done,
                                  static_cast<off_t>(range.offset + done));
    check(count > 0 || (count < 0 && errno == EINTR), "external data in ",
          shortened(range.location), " cannot be read: ", count == 0 ? "it was cut" : reason());
    done += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> ExternalData::read(const proto::Tensor& tensor, std::size_t size) {
  const Reference range = reference_of(tensor, size);
  check(!folder_.empty(), "keeps its values in another file, ", shortened(range.location),
        ", which is not read unless OnnxOptions::external_folder names its folder");
  check_name(range.location);
  const Descriptor folder(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  check(folder.is_open(), "external data's folder cannot be opened: ", reason());
  // Without waiting: a pipe's other end may never come.
  const Descriptor file(::openat(folder.number(), range.location.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  check(file.is_open(), "external data ", shortened(range.location),
        " cannot be opened: ", reason());
  struct stat status {};
  check(::fstat(file.number(), &status) == 0 && S_ISREG(status.st_mode), "external data ",
        shortened(range.location), " must be a plain file");
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  check(range.length == size, "external data must have the values' ", size,
        " bytes: its length is ", range.length);
  check(range.offset <= bytes && range.length <= bytes - range.offset,
        "external data must lie in its file: it is ", range.length, " bytes from ", range.offset,
        " on, ", shortened(range.location), " has ", bytes);
  if (sizes_.emplace(range.location, bytes).second) {
    budget_.justify(bytes);
  }
  return read_range(file, range);
}

}  // namespace lamina::models::onnx

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "core/atomic_file.h"
#include "core/checksum.h"
#include "core/error.h"
#include "core/mapped_file.h"
#include "nn/file_limits.h"
#include "nn/isa.h"
#include "nn/kernels.h"
#include "nn/plan/encode.h"
#include "nn/plan/validate.h"
#include "nn/plan/weights.h"

// A plan file: the header, encode()'s bytes, zeros up to a whole page, the weights.
namespace lamina::nn {
namespace {

constexpr std::array<char, 8> kMagic = {'l', 'a', 'm', 'i', 'n', 'a', 'P', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPage = 4096;
constexpr const char* kDamaged = ": the file is damaged: save it again";

struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t layout = kPackedLayout;
  std::uint64_t checksum = 0;  // of everything after it
  std::uint64_t file_bytes = 0;
  std::uint64_t program_bytes = 0;
  std::array<char, 16> isa = {};
};
constexpr std::size_t kHashed = offsetof(Header, file_bytes);
static_assert(sizeof(Header) == 56, "no padding");

std::size_t weights_offset(std::size_t program_bytes) {
  return (sizeof(Header) + program_bytes + kPage - 1) / kPage * kPage;
}

std::string hexadecimal(std::uint64_t number) {
  std::ostringstream out;
  out << std::hex << std::setfill('0') << std::setw(16) << number;
  return out.str();
}

class Loader {
 public:
  explicit Loader(const std::filesystem::path& path)
      : file_(std::make_shared<const MappedFile>("load_plan", path, limits::kPlanFile)),
        bytes_(file_->bytes()),
        source_("load_plan: " + path.string()) {}

  std::shared_ptr<const Program> run() {
    read_header();
    check_isa();
    auto program = std::make_shared<Program>();
    program->isa = isa_;
    program->kernels = &active_kernels();
    decode(bytes_.subspan(sizeof(Header), header_.program_bytes), source_, *program);
    const auto weights = bytes_.subspan(weights_offset(header_.program_bytes));
    const auto* values = reinterpret_cast<const float*>(weights.data());
    program->weights = std::shared_ptr<const float[]>(file_, values);
    program->weight_floats = weights.size() / sizeof(float);
    validate(*program, source_);
    return program;
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, source_, ": ", parts...);
  }

  void read_header() {
    const bool has_header = bytes_.size() >= sizeof header_;
    if (has_header) {
      std::memcpy(&header_, bytes_.data(), sizeof header_);
    }
    require(has_header && header_.magic == kMagic, "must be a plan: it has ", bytes_.size(),
            " bytes and does not begin as one");
    require(header_.version == kVersion && header_.layout == kPackedLayout,
            "must be of this library's version: it is of ", header_.version, '.', header_.layout,
            ", the library reads ", kVersion, '.', kPackedLayout,
            ": save it again with this library");
    require(header_.file_bytes == bytes_.size(), "must be whole: it was written with ",
            header_.file_bytes, " bytes, it has ", bytes_.size(), kDamaged);
    file_->populate();
    const std::uint64_t sum = checksum(bytes_.subspan(kHashed));
    require(sum == header_.checksum, "checksum must be that of the bytes: it says ",
            hexadecimal(header_.checksum), ", they have ", hexadecimal(sum), kDamaged);
    const std::size_t room = bytes_.size() - sizeof header_;
    require(header_.program_bytes <= room && weights_offset(header_.program_bytes) <= bytes_.size(),
            "steps must lie inside of the file: they have ", header_.program_bytes,
            " bytes, there is room for ", room);
    isa_.assign(header_.isa.begin(), std::ranges::find(header_.isa, '\0'));
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    require(std::ranges::all_of(isa_, is_plain),
            "the instruction set's name must be of small letters and digits", kDamaged);
  }

  void check_isa() const {
    const std::vector<std::string> available = available_isas();
    std::string names;
    for (const std::string& name : available) {
      names += (names.empty() ? "" : ", ") + name;
    }
    require(std::ranges::find(available, isa_) != available.end(),
            "must be for an instruction set of this CPU: it is for '", isa_,
            "', available: ", names, ": save it again on this machine");
    require(isa_ == isa(), "must be for the instruction set in use: it is for ", isa_,
            ", in use is ", isa(), ": use ", isa_, ", or save it again for ", isa());
  }

  // Mapped, not read onto large pages: a millisecond, all of it the checksum, where reading takes
  // two to thirty, and runs are 0.3 to 1.9 % slower for the smaller pages.
  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> bytes_;
  std::string source_;
  Header header_;
  std::string isa_;
};

}  // namespace

void Plan::save(const std::filesystem::path& path) const {
  Program checked = *program_;
  validate(checked, "save: " + path.string());
  const std::vector<std::byte> steps = encode(*program_);
  const std::size_t offset = weights_offset(steps.size());
  const auto weights = std::as_bytes(std::span(program_->weights.get(), program_->weight_floats));
  Header header;
  header.file_bytes = offset + weights.size();
  header.program_bytes = steps.size();
  std::ranges::copy(program_->isa, header.isa.begin());
  std::vector<std::byte> bytes(header.file_bytes);
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(steps, bytes.begin() + sizeof header);
  std::ranges::copy(weights, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  header.checksum = checksum(std::span(bytes).subspan(kHashed));
  std::memcpy(bytes.data(), &header, sizeof header);
  AtomicFile file("save", path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

bool begins_as_plan(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {
    return false;  // reading from a pipe would take from it
  }
  std::ifstream file(path, std::ios::binary);
  std::array<char, kMagic.size()> magic = {};
  return file.read(magic.data(), magic.size()) && magic == kMagic;
}

Plan load_plan(const std::filesystem::path& path) { return Plan(Loader(path).run()); }

}  // namespace lamina::nn

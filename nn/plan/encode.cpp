#include "nn/plan/encode.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "core/error.h"
#include "nn/plan/fields.h"

namespace lamina::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "plan files are little-endian");

class Writer {
 public:
  void operator()(std::uint64_t number) { append(&number, sizeof number); }
  void operator()(float number) { (*this)(std::uint64_t{std::bit_cast<std::uint32_t>(number)}); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(Enum number) { (*this)(static_cast<std::uint64_t>(number)); }
  void operator()(const std::string& value) {
    (*this)(std::uint64_t{value.size()});
    append(value.data(), value.size());
  }
  void operator()(const Shape& shape) {
    (*this)(std::uint64_t{shape.rank()});
    for (const std::size_t extent : shape) {
      (*this)(std::uint64_t{extent});
    }
  }

  std::vector<std::byte> bytes;

 private:
  void append(const void* from, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(from);
    bytes.insert(bytes.end(), begin, begin + size);
  }
};

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& source)
      : bytes_(bytes), source_(source) {}

  void operator()(std::uint64_t& number) {
    std::memcpy(&number, take(sizeof number).data(), sizeof number);
  }
  void operator()(float& number) {
    std::uint64_t bits = 0;
    (*this)(bits);
    number = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(Enum& number) {
    std::uint64_t value = 0;
    (*this)(value);
    constexpr std::uint64_t kNone = ~std::uint32_t{0};  // no value of any
    number = static_cast<Enum>(std::min(value, kNone));
  }
  void operator()(std::string& value) {
    std::uint64_t size = 0;
    (*this)(size);
    const auto bytes = take(size);
    value.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void operator()(Shape& shape) {
    std::uint64_t rank = 0;
    (*this)(rank);
    check(rank <= Shape::kMaxRank, source_, ": a shape must have at most ", Shape::kMaxRank,
          " extents: got ", rank);
    std::array<std::size_t, Shape::kMaxRank> extents{};
    for (std::uint64_t i = 0; i < rank; ++i) {
      (*this)(extents[i]);
    }
    try {
      shape = Shape(std::span(extents).first(rank));
    } catch (const Error& error) {
      throw Error(text(source_, ": ", error.what()));
    }
  }

  void expect_end() const {
    check(bytes_.empty(), source_, ": nothing may follow the steps: got ", bytes_.size(), " bytes");
  }

 private:
  std::span<const std::byte> take(std::uint64_t size) {
    check(size <= bytes_.size(), source_, ": the steps must be whole: ", size,
          " bytes are to come, there are ", bytes_.size());
    const auto taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
};

}  // namespace

std::vector<std::byte> encode(const Program& program) {
  Writer writer;
  writer(program.traced_input);
  writer(program.traced_output);
  writer(std::uint64_t{program.arena});
  writer(std::uint64_t{program.steps.size()});
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    writer(program.names[i]);
    for_each_field(program.steps[i], [&](const auto& field) { writer(field); });
  }
  writer(std::uint64_t{program.metadata.size()});
  for (const auto& [key, value] : program.metadata) {
    writer(key);
    writer(value);
  }
  return std::move(writer.bytes);
}

void decode(std::span<const std::byte> bytes, const std::string& source, Program& program) {
  Reader reader(bytes, source);
  reader(program.traced_input);
  reader(program.traced_output);
  reader(program.arena);
  std::uint64_t steps = 0;
  reader(steps);
  for (std::uint64_t i = 0; i < steps; ++i) {  // ends with the bytes, whatever the count says
    reader(program.names.emplace_back());
    for_each_field(program.steps.emplace_back(), [&](auto& field) { reader(field); });
  }
  std::uint64_t texts = 0;
  reader(texts);
  for (std::uint64_t i = 0; i < texts; ++i) {
    std::string key;
    reader(key);
    reader(program.metadata[key]);
  }
  reader.expect_end();
}

}  // namespace lamina::nn

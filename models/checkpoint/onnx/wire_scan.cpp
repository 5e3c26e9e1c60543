#include "models/checkpoint/onnx/wire_scan.h"

#include <cstddef>
#include <limits>

#include "core/error.h"
#include "models/checkpoint/limits.h"

namespace lamina::models::onnx {
namespace {

enum class Content {
  model,
  graph,
  node,
  attribute,
  tensor,
  entry,
  value,
  type,
  tensor_type,
  shape,
  dimension,
  operator_set,
  text,
  numbers,  // packed: a byte may be a number of 8
  other,
};

struct Field {
  Content owner;
  std::uint64_t number;
  Content content;
};

// Fields of onnx.proto that take more memory than their bytes.
constexpr Field kFields[] = {
    {Content::model, 2, Content::text},        {Content::model, 3, Content::text},
    {Content::model, 7, Content::graph},       {Content::model, 8, Content::operator_set},
    {Content::model, 14, Content::entry},      {Content::operator_set, 1, Content::text},
    {Content::graph, 1, Content::node},        {Content::graph, 2, Content::text},
    {Content::graph, 5, Content::tensor},      {Content::graph, 11, Content::value},
    {Content::graph, 12, Content::value},      {Content::node, 1, Content::text},
    {Content::node, 2, Content::text},         {Content::node, 3, Content::text},
    {Content::node, 4, Content::text},         {Content::node, 5, Content::attribute},
    {Content::node, 7, Content::text},         {Content::attribute, 1, Content::text},
    {Content::attribute, 4, Content::text},    {Content::attribute, 5, Content::tensor},
    {Content::attribute, 7, Content::numbers}, {Content::attribute, 8, Content::numbers},
    {Content::tensor, 1, Content::numbers},    {Content::tensor, 4, Content::numbers},
    {Content::tensor, 5, Content::numbers},    {Content::tensor, 7, Content::numbers},
    {Content::tensor, 8, Content::text},       {Content::tensor, 9, Content::text},
    {Content::tensor, 10, Content::numbers},   {Content::tensor, 11, Content::numbers},
    {Content::tensor, 13, Content::entry},     {Content::entry, 1, Content::text},
    {Content::entry, 2, Content::text},        {Content::value, 1, Content::text},
    {Content::value, 2, Content::type},        {Content::type, 1, Content::tensor_type},
    {Content::tensor_type, 2, Content::shape}, {Content::shape, 1, Content::dimension},
    {Content::dimension, 2, Content::text},
};

constexpr std::uint64_t kMessageBytes = 256;
constexpr std::uint64_t kTextBytes = 48;
constexpr std::uint64_t kNumberBytes = 16;  // of each byte, while the array grows

Content content_of(Content owner, std::uint64_t number) {
  for (const Field& field : kFields) {
    if (field.owner == owner && field.number == number) {
      return field.content;
    }
  }
  return Content::other;
}

class Scan {
 public:
  Scan(std::span<const std::uint8_t> bytes, std::string_view prefix)
      : bytes_(bytes), prefix_(prefix) {}

  // Messages are nested as deep as the table lets them.
  void message(Content owner, std::size_t end) {
    add(kMessageBytes);
    while (at_ < end) {
      const std::uint64_t tag = varint(end);
      require(tag >> 3 != 0 && tag >> 3 <= kMaxField, "must be protobuf messages: field ", tag >> 3,
              " stands");
      value(content_of(owner, tag >> 3), tag & 7, end);
    }
  }

  void check_memory() const {
    const std::uint64_t most = limits::kOnnxGrowth * bytes_.size() + limits::kGrowthFree;
    require(memory_ <= most, "parsed form must take at most ", limits::kOnnxGrowth,
            " times the file's ", bytes_.size(), " bytes: it would take ", memory_);
    require(objects_ <= limits::kOnnxObjects, "must hold at most ", limits::kOnnxObjects,
            " messages and names: it holds ", objects_);
  }

 private:
  static constexpr std::uint64_t kMaxField = (std::uint64_t{1} << 29) - 1;

  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, prefix_, parts...);
  }

  void add(std::uint64_t memory) {
    memory_ += memory;
    ++objects_;
  }

  std::uint64_t varint(std::size_t end) {
    std::uint64_t result = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      require(at_ < end, "must be protobuf messages: a number is cut off");
      const std::uint8_t byte = bytes_[at_++];
      result |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) {
        return result;
      }
    }
    require(false, "must be protobuf messages: a number has more than ten bytes");
    return 0;
  }

  void skip(std::uint64_t count, std::size_t end) {
    require(count <= end - at_, "must be protobuf messages: a field of ", count,
            " bytes must fit in the ", end - at_, " that are left");
    at_ += static_cast<std::size_t>(count);
  }

  void value(Content content, std::uint64_t wire_type, std::size_t end) {
    switch (wire_type) {
      case 0:
        memory_ += kNumberBytes;
        varint(end);
        return;
      case 1:
        memory_ += kNumberBytes;
        return skip(8, end);
      case 5:
        memory_ += kNumberBytes;
        return skip(4, end);
      case 2:
        return length_delimited(content, varint(end), end);
      default:
        require(false, "must be protobuf messages: wire type ", wire_type, " stands");
    }
  }

  void length_delimited(Content content, std::uint64_t length, std::size_t end) {
    const std::size_t begin = at_;
    skip(length, end);
    switch (content) {
      case Content::text:
        return add(kTextBytes + length);
      case Content::numbers:
        memory_ += kNumberBytes * length;
        return;
      case Content::other:
        memory_ += length;
        return;
      default:
        at_ = begin;
        message(content, begin + static_cast<std::size_t>(length));
    }
  }

  std::span<const std::uint8_t> bytes_;
  std::string_view prefix_;
  std::size_t at_ = 0;
  std::uint64_t memory_ = 0;
  std::uint64_t objects_ = 0;
};

}  // namespace

void check_wire(std::span<const std::uint8_t> bytes, std::string_view prefix) {
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  check(bytes.size() <= kMost, prefix, "must have at most ", kMost, " bytes: it has ",
        bytes.size());
  Scan scan(bytes, prefix);
  scan.message(Content::model, bytes.size());
  scan.check_memory();
}

}  // namespace lamina::models::onnx

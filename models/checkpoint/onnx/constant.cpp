#include "models/checkpoint/onnx/constant.h"

#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"

namespace lamina::models::onnx {
namespace {

constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 40;
constexpr std::uint64_t kValueBytes = 4;

constexpr const char* kTypeNames[] = {"UNDEFINED",  "FLOAT",   "UINT8",  "INT8",   "UINT16",
                                      "INT16",      "INT32",   "INT64",  "STRING", "BOOL",
                                      "FLOAT16",    "DOUBLE",  "UINT32", "UINT64", "COMPLEX64",
                                      "COMPLEX128", "BFLOAT16"};

}  // namespace

std::size_t count_of(const Dims& dims) {
  check(dims.size() <= limits::kOnnxRank, "tensors must have at most ", limits::kOnnxRank,
        " axes: got ", dims.size());
  std::uint64_t count = 1;  // with extents of 0 as 1, so that strides fit too
  for (const std::int64_t extent : dims) {
    check(extent >= 0, "extents must not be negative: got ", printed(dims));
    const auto positive = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 1));
    check(count <= kMaxCount / positive, "tensors must have at most 2^40 values: got ",
          printed(dims));
    count *= positive;
  }
  return std::ranges::find(dims, 0) == dims.end() ? count : 0;
}

std::string printed(const Dims& dims) {
  std::string list = "[";
  constexpr std::size_t kMostPrinted = 16;
  for (std::size_t i = 0; i < std::min(dims.size(), kMostPrinted); ++i) {
    list += text(i == 0 ? "" : ", ", dims[i]);
  }
  return list + (dims.size() > kMostPrinted ? ", ...]" : "]");
}

std::string shortened(std::string_view name) {
  constexpr std::size_t kMostPrinted = 100;
  return in_quotes(name.substr(0, kMostPrinted)) + (name.size() > kMostPrinted ? "..." : "");
}

std::size_t checked_axis(std::int64_t axis, std::size_t size, std::string_view what) {
  const auto extent = static_cast<std::int64_t>(size);
  check(axis >= -extent && axis < extent, what, " must be from ", -extent, " to ", extent - 1,
        ": got ", axis);
  return static_cast<std::size_t>(axis < 0 ? axis + extent : axis);
}

bool is_floating_type(int type) { return type == 1 || type == 10 || type == 11 || type == 16; }

std::string type_name(int type) {
  const auto index = static_cast<std::size_t>(type);
  return type >= 0 && index < std::size(kTypeNames) ? kTypeNames[index] : text("type ", type);
}

bool Constant::is_floating() const { return is_floating_type(type); }

Constant Constant::reshaped(Dims new_dims) const {
  check(count_of(new_dims) == size(), "shapes must have the same number of values: ", printed(dims),
        " has ", size(), ", ", printed(new_dims), " has ", count_of(new_dims));
  Constant result = *this;
  result.dims = std::move(new_dims);
  return result;
}

Constant Constant::of_integers(Dims dims, std::vector<std::int64_t> values) {
  return {.type = 7, .dims = std::move(dims), .floats = {}, .integers = std::move(values)};
}

void Budget::justify(std::uint64_t bytes) { most_ += limits::kGrowth * bytes; }

void Budget::charge(std::uint64_t values) {
  const std::uint64_t most = most_ + limits::kOnnxFree;
  check(values <= (most - spent_) / kValueBytes, "constants and weights must take at most ",
        limits::kGrowth, " times the file's bytes and ", limits::kOnnxFree, ": ", spent_,
        " bytes of ", most, " are taken, ", values, " values come on top");
  spent_ += values * kValueBytes;
}

}  // namespace lamina::models::onnx

#include "models/checkpoint/torch/tensors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/torch/bytes.h"

namespace lamina::models::torch {
namespace {

constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int64_t>::max();

std::string printed(const std::vector<std::uint64_t>& numbers) {
  std::string list = "[";
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    list += text(i == 0 ? "" : ",", numbers[i]);
  }
  return list + "]";
}

bool is_contiguous(const StoredTensor& tensor) {
  std::uint64_t expected = 1;
  for (std::size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != expected) {
      return false;
    }
    expected *= tensor.shape[axis];
  }
  return true;
}

std::uint64_t count_of(const Pickle& pickle, Value value, const std::string& prefix) {
  check(pickle.is(value, Kind::integer) && pickle.integer(value) >= 0, prefix,
        "counts and offsets must be numbers from 0 on: the value at byte ", pickle.offset(value),
        " is not");
  return static_cast<std::uint64_t>(pickle.integer(value));
}

bool is_text(const Pickle& pickle, Value value) { return pickle.is(value, Kind::text); }

}  // namespace

StorageRef read_storage_ref(const Pickle& pickle, Value value, const std::string& prefix) {
  const Value id = pickle.is(value, Kind::persistent) ? pickle.items(value)[0] : value;
  const std::span<const Value> parts = pickle.items(id);
  check(pickle.is(value, Kind::persistent) && pickle.is(id, Kind::tuple) &&
            (parts.size() == 5 || parts.size() == 6) && is_text(pickle, parts[0]) &&
            pickle.text(parts[0]) == "storage" && pickle.is(parts[1], Kind::global) &&
            pickle.global(parts[1]).meaning == Meaning::storage && is_text(pickle, parts[2]),
        prefix,
        "storage must be named as (\"storage\", type, key, device, count): the value at byte ",
        pickle.offset(value), " is not");
  StorageRef storage{.type = &pickle.global(parts[1]),
                     .key = pickle.text(parts[2]),
                     .count = count_of(pickle, parts[4], prefix)};
  storage.view_count = storage.count;
  if (parts.size() == 6 && !pickle.is(parts[5], Kind::none)) {
    const std::span<const Value> view = pickle.items(parts[5]);
    check(pickle.is(parts[5], Kind::tuple) && view.size() == 3, prefix,
          "storage's view must be (key, offset, count): the value at byte ",
          pickle.offset(parts[5]), " is not");
    storage.view_begin = count_of(pickle, view[1], prefix);
    storage.view_count = count_of(pickle, view[2], prefix);
    check(storage.view_begin <= storage.count &&
              storage.view_count <= storage.count - storage.view_begin,
          prefix, "storage's view must lie in it: ", storage.view_count, " elements from ",
          storage.view_begin, " of ", storage.count);
  }
  return storage;
}

std::optional<TensorReader::Call> TensorReader::find_call(Value value) const {
  for (std::size_t level = 0; level < limits::kTorchNesting; ++level) {
    if (!pickle_.is(value, Kind::call)) {
      return std::nullopt;
    }
    Meaning meaning = pickle_.called(value);
    std::span<const Value> arguments = pickle_.items(pickle_.items(value)[1]);
    if (meaning == Meaning::rebuild_from_type && arguments.size() >= 3 &&
        pickle_.is(arguments[0], Kind::global) && pickle_.is(arguments[2], Kind::tuple)) {
      meaning = pickle_.global(arguments[0]).meaning;
      arguments = pickle_.items(arguments[2]);
    }
    switch (meaning) {
      case Meaning::rebuild_tensor:
      case Meaning::rebuild_tensor_v3:
      case Meaning::rebuild_qtensor:
        return Call{meaning, arguments};
      case Meaning::rebuild_parameter:
        if (arguments.empty()) {
          return std::nullopt;
        }
        value = arguments[0];
        break;
      default:
        return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<StoredTensor> TensorReader::read(Value value, std::string_view name) const {
  const std::string prefix = text(prefix_, "tensor ", shown(name), ": ");
  const std::optional<Call> call = find_call(value);
  check(call.has_value(), prefix, "must be a tensor: the value at byte ", pickle_.offset(value),
        " is not");
  return read(*call, prefix);
}

std::optional<StoredTensor> TensorReader::read(const Call& call, const std::string& prefix) const {
  const std::size_t needed = call.meaning == Meaning::rebuild_tensor      ? 4
                             : call.meaning == Meaning::rebuild_tensor_v3 ? 7
                                                                          : 5;
  check(call.arguments.size() >= needed, prefix, "must be rebuilt from ", needed,
        " arguments or more: it has ", call.arguments.size());
  const StorageRef storage = read_storage_ref(pickle_, call.arguments[0], prefix);
  const Global* type = storage.type;
  if (call.meaning == Meaning::rebuild_tensor_v3) {
    check(pickle_.is(call.arguments[6], Kind::global) &&
              pickle_.global(call.arguments[6]).meaning == Meaning::dtype,
          prefix, "must have a dtype: the value at byte ", pickle_.offset(call.arguments[6]),
          " is none");
    type = &pickle_.global(call.arguments[6]);
  }
  if (type->element == nullptr) {
    return std::nullopt;
  }
  StoredTensor tensor{.type = type->element,
                      .shape = sizes(call.arguments[2], prefix),
                      .strides = sizes(call.arguments[3], prefix)};
  const std::uint64_t width = std::max<std::uint64_t>(storage.type->bytes, 1);
  place(tensor,
        storages_.bytes(storage).subspan(storage.view_begin * width, storage.view_count * width),
        count_of(pickle_, call.arguments[1], prefix), prefix);
  if (call.meaning == Meaning::rebuild_qtensor) {
    tensor.quantization =
        std::make_shared<const Quantization>(quantization(call.arguments[4], tensor, prefix));
  }
  return tensor;
}

// A tuple, or torch.Size of one.
std::vector<std::uint64_t> TensorReader::sizes(Value value, const std::string& prefix) const {
  if (pickle_.called(value) == Meaning::size) {
    const std::span<const Value> arguments = pickle_.items(pickle_.items(value)[1]);
    value = arguments.empty() ? value : arguments[0];
  }
  const std::span<const Value> items = pickle_.items(value);
  check(pickle_.is(value, Kind::tuple) || pickle_.is(value, Kind::list), prefix,
        "shape and strides must be tuples: the value at byte ", pickle_.offset(value), " is not");
  check(items.size() <= limits::kTorchRank, prefix, "must have at most ", limits::kTorchRank,
        " axes: it has ", items.size());
  std::vector<std::uint64_t> numbers;
  for (const Value item : items) {
    numbers.push_back(count_of(pickle_, item, prefix));
  }
  return numbers;
}

// The last element must lie in the storage; no product is taken that could overflow.
void TensorReader::place(StoredTensor& tensor, std::span<const std::uint8_t> elements,
                         std::uint64_t offset, const std::string& prefix) const {
  const std::uint64_t width = tensor.type->bytes;
  const std::uint64_t available = elements.size() / width;
  check(tensor.shape.size() == tensor.strides.size(), prefix,
        "shape and strides must have as many numbers: ", printed(tensor.shape), " and ",
        printed(tensor.strides));
  std::uint64_t size = 1;
  for (const std::uint64_t extent : tensor.shape) {
    check(extent == 0 || size <= kMostBytes / width / extent, prefix,
          "size must be below 2^63 bytes: shape is ", printed(tensor.shape));
    size *= extent;
  }
  if (size == 0) {
    tensor.strides.clear();
    return;
  }
  bool fits = offset < available;
  std::uint64_t rest = fits ? available - offset - 1 : 0;
  for (std::size_t axis = 0; axis < tensor.shape.size() && fits; ++axis) {
    const std::uint64_t steps = tensor.shape[axis] - 1, stride = tensor.strides[axis];
    fits = stride == 0 || steps <= rest / stride;
    rest -= fits ? steps * stride : 0;
  }
  check(fits, prefix, "must lie in its storage: shape ", printed(tensor.shape), ", strides ",
        printed(tensor.strides), " from ", offset, " on, in ", available, " elements");
  check(size <= available * limits::kGrowth + limits::kGrowthFree, prefix,
        "must not repeat its storage over ", limits::kGrowth, " times: it has ", size,
        " values in ", available);
  const std::uint64_t span = available - offset - rest;
  tensor.bytes = elements.subspan(offset * width, span * width);
  if (is_contiguous(tensor)) {
    tensor.strides.clear();
  }
}

std::vector<double> TensorReader::numbers(Value value, const std::string& prefix) const {
  std::vector<double> numbers;
  if (pickle_.is(value, Kind::real)) {
    numbers.push_back(pickle_.real(value));
  } else if (pickle_.is(value, Kind::integer)) {
    numbers.push_back(static_cast<double>(pickle_.integer(value)));
  } else {
    const std::optional<Call> call = find_call(value);
    check(call.has_value() && call->meaning == Meaning::rebuild_tensor, prefix,
          "quantizer must hold numbers: the value at byte ", pickle_.offset(value), " is none");
    const std::optional<StoredTensor> tensor = read(*call, prefix);
    check(tensor.has_value() && (tensor->type->name == "F64" || tensor->type->name == "I64"),
          prefix, "quantizer's tensors must be of float64 and int64: the one at byte ",
          pickle_.offset(value), " is not");
    const std::vector<std::uint8_t> bytes = packed(*tensor);
    for (std::size_t at = 0; at < bytes.size(); at += 8) {
      numbers.push_back(tensor->type->is_floating
                            ? number_at<double>(bytes, at)
                            : static_cast<double>(number_at<std::int64_t>(bytes, at)));
    }
  }
  return numbers;
}

// (scheme, scale, zero point), or (scheme, scales, zero points, axis).
Quantization TensorReader::quantization(Value quantizer, const StoredTensor& tensor,
                                        const std::string& prefix) const {
  const std::span<const Value> parts = pickle_.items(quantizer);
  const Meaning scheme =
      pickle_.is(quantizer, Kind::tuple) && !parts.empty() && pickle_.is(parts[0], Kind::global)
          ? pickle_.global(parts[0]).meaning
          : Meaning::other;
  const bool per_channel = scheme == Meaning::per_channel_affine;
  check((scheme == Meaning::per_tensor_affine && parts.size() == 3) ||
            (per_channel && parts.size() == 4),
        prefix, "quantizer must be affine, per tensor or per channel: the value at byte ",
        pickle_.offset(quantizer), " is not");
  Quantization result;
  result.scales = numbers(parts[1], prefix);
  for (const double point : numbers(parts[2], prefix)) {
    check(std::abs(point) <= 0x1p31, prefix, "zero points must have 32 bits: one is ", point);
    result.zero_points.push_back(static_cast<std::int64_t>(point));
  }
  std::uint64_t channels = 1;
  if (per_channel) {
    const std::uint64_t axis = count_of(pickle_, parts[3], prefix);
    check(axis < tensor.shape.size(), prefix, "quantizer's axis must be one of shape ",
          printed(tensor.shape), ": it is ", axis);
    result.axis = axis;
    channels = tensor.shape[axis];
  }
  check(result.scales.size() == channels && result.zero_points.size() == channels, prefix,
        "quantizer must have ", channels, " scales and zero points: it has ", result.scales.size(),
        " and ", result.zero_points.size());
  return result;
}

}  // namespace lamina::models::torch

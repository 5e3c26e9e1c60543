#include "models/checkpoint/archive.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <utility>

#include "core/error.h"
#include "data/file.h"
#include "models/checkpoint/header_rules.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/shards.h"
#include "models/checkpoint/torch/torch.h"

namespace lamina::models {
namespace {

// Calls visit(offset) with each element's offset in elements, in row-major order.
template <class Visit>
void for_each_element(const StoredTensor& tensor, Visit visit) {
  const std::uint64_t size = tensor.size();
  if (tensor.strides.empty()) {
    for (std::uint64_t i = 0; i < size; ++i) {
      visit(i);
    }
    return;
  }
  std::vector<std::uint64_t> index(tensor.shape.size(), 0);
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < size; ++i) {
    visit(offset);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      offset += tensor.strides[axis];
      if (++index[axis] < tensor.shape[axis]) {
        break;
      }
      offset -= tensor.strides[axis] * tensor.shape[axis];
      index[axis] = 0;
    }
  }
}

std::string printed(const std::vector<std::uint64_t>& shape) {
  std::string list = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    list += text(i == 0 ? "" : ",", shape[i]);
  }
  return list + "]";
}

// Whole runs of indices along the axis share a scale.
void dequantize(const Quantization& quantization, const Shape& shape, std::span<float> values) {
  std::size_t run = 1;
  for (std::size_t axis = quantization.axis + 1; axis < shape.rank(); ++axis) {
    run *= shape[axis];
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t channel = i / run % quantization.scales.size();
    const double q = values[i];
    values[i] = static_cast<float>((q - static_cast<double>(quantization.zero_points[channel])) *
                                   quantization.scales[channel]);
  }
}

// Axes with one index say nothing about the order.
bool is_row_major(const StoredTensor& tensor) {
  std::uint64_t stride = 1;
  for (std::size_t axis = tensor.strides.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != stride) {
      return false;
    }
    stride *= tensor.shape[axis];
  }
  return true;
}

}  // namespace

std::uint64_t StoredTensor::size() const {
  std::uint64_t product = 1;
  for (const std::uint64_t extent : shape) {
    product *= extent;
  }
  return product;
}

std::vector<std::uint8_t> packed(const StoredTensor& tensor) {
  const std::size_t width = tensor.type->bytes;
  std::vector<std::uint8_t> elements(tensor.size() * width);
  std::uint8_t* to = elements.data();
  for_each_element(tensor, [&](std::uint64_t offset) {
    std::memcpy(to, tensor.bytes.data() + offset * width, width);
    to += width;
  });
  return elements;
}

Tensor to_float(const StoredTensor& tensor) {
  check(tensor.shape.size() <= Shape::kMaxRank, "rank must be at most ", Shape::kMaxRank, ": ",
        printed(tensor.shape), " has rank ", tensor.shape.size());
  const std::vector<std::size_t> extents(tensor.shape.begin(), tensor.shape.end());
  Tensor values = Tensor::uninitialized(Shape(std::span<const std::size_t>(extents)));
  const std::size_t width = tensor.type->bytes;
  if (values.empty()) {
    return values;
  }
  if (tensor.type->name == "F32" && is_row_major(tensor)) {
    std::memcpy(values.data(), tensor.bytes.data(), values.size() * width);
  } else {
    float* to = values.data();
    for_each_element(tensor, [&](std::uint64_t offset) {
      *to++ = tensor.type->to_float(tensor.bytes.data() + offset * width);
    });
  }
  if (tensor.quantization != nullptr) {
    dequantize(*tensor.quantization, values.shape(), values.values());
  }
  return values;
}

bool is_loaded(const StoredTensor& tensor) {
  return tensor.type->is_floating || tensor.quantization != nullptr;
}

void check_rank(const StoredTensor& tensor, std::string_view tensor_name, std::string_view name) {
  check(tensor.shape.size() <= Shape::kMaxRank, "checkpoint: ", name, ": tensor ",
        in_quotes(tensor_name), ": rank must be at most ", Shape::kMaxRank, ": ",
        printed(tensor.shape), " has rank ", tensor.shape.size());
}

// Views may share or repeat their bytes: a small file could ask for any amount of memory.
void check_growth(const Archive& archive, std::string_view name) {
  std::vector<std::pair<const std::uint8_t*, const std::uint8_t*>> ranges;
  std::uint64_t values = 0;
  for (const auto& [tensor, stored] : archive.tensors) {
    if (is_loaded(stored)) {
      const std::uint64_t size = stored.size();
      values = size > std::numeric_limits<std::uint64_t>::max() - values
                   ? std::numeric_limits<std::uint64_t>::max()
                   : values + size;
      ranges.emplace_back(stored.bytes.data(), stored.bytes.data() + stored.bytes.size());
    }
  }
  std::ranges::sort(ranges);
  std::uint64_t bytes = 0;
  const std::uint8_t* end = nullptr;
  for (const auto& [first, last] : ranges) {
    const std::uint8_t* begin = std::max(first, end, std::less<>());
    if (std::less<>()(begin, last)) {
      bytes += static_cast<std::uint64_t>(last - begin);
      end = last;
    }
  }
  check(values / limits::kGrowth <= (bytes + limits::kGrowthFree) / sizeof(float),
        "checkpoint: ", name, ": tensors must not need over ", limits::kGrowth,
        " times their bytes in the file: they have ", values, " values in ", bytes, " bytes");
}

Checkpoint to_checkpoint(const Archive& archive, std::string_view name) {
  check_growth(archive, name);
  Checkpoint checkpoint;
  checkpoint.metadata = archive.metadata;
  for (const auto& [tensor, stored] : archive.tensors) {
    if (is_loaded(stored)) {
      try {
        checkpoint.tensors.emplace(tensor, to_float(stored));
      } catch (const Error& error) {
        throw Error(text("checkpoint: ", name, ": tensor ", in_quotes(tensor), ": ", error.what()));
      }
    }
  }
  return checkpoint;
}

Archive read_archive(const std::filesystem::path& path) {
  return parse_archive(std::make_shared<const std::vector<std::uint8_t>>(
                           data::read_file("checkpoint", path, limits::kFile)),
                       path);
}

Archive parse_archive(std::shared_ptr<const std::vector<std::uint8_t>> bytes,
                      const std::filesystem::path& path) {
  if (begins_as_index(*bytes)) {
    return read_shards(*bytes, path);
  }
  Archive archive = is_torch(*bytes) ? parse_torch(*bytes, path.string())
                                     : parse_safetensors(*bytes, path.string());
  using Kept = std::pair<std::shared_ptr<const void>, std::shared_ptr<const void>>;
  archive.file = std::make_shared<const Kept>(std::move(bytes), std::move(archive.file));
  return archive;
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return to_checkpoint(read_archive(path), path.string());
}

}  // namespace lamina::models

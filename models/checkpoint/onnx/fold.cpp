#include "models/checkpoint/onnx/fold.h"

#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/onnx/fold_elements.h"

namespace lamina::models::onnx {
namespace {

// The elements of x at offset + sum of index * stride.
Constant strided(const Constant& x, const Dims& dims, const Dims& strides, std::int64_t offset,
                 Budget& budget) {
  Constant result = uninitialized(x.type, dims, budget);
  if (x.is_floating()) {
    const float* from = x.floats.data();
    float* to = result.floats.data();
    for_each_element(dims, strides, offset, [&](std::size_t i, std::size_t j) { to[i] = from[j]; });
  } else {
    for_each_element(dims, strides, offset,
                     [&](std::size_t i, std::size_t j) { result.integers[i] = x.integers[j]; });
  }
  return result;
}

void copy_element(const Constant& x, std::size_t from, Constant& y, std::size_t to) {
  if (x.is_floating()) {
    y.floats.data()[to] = x.floats.data()[from];
  } else {
    y.integers[to] = x.integers[from];
  }
}

// The first index, the number of indices and the step along one axis.
struct Steps {
  std::int64_t first, count, step;
};

Steps steps_of(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  check(step != 0, "steps must not be 0");
  const std::int64_t longest = std::max<std::int64_t>(extent, 1);
  step = std::clamp(step, -longest, longest);
  start = start < 0 ? start + extent : start;
  end = end < 0 ? end + extent : end;
  if (step > 0) {
    start = std::clamp<std::int64_t>(start, 0, extent);
    end = std::clamp<std::int64_t>(end, 0, extent);
    return {start, std::max<std::int64_t>(0, (end - start + step - 1) / step), step};
  }
  start = std::clamp<std::int64_t>(start, -1, extent - 1);
  end = std::clamp<std::int64_t>(end, -1, extent - 1);
  return {std::max<std::int64_t>(start, 0),
          std::max<std::int64_t>(0, (start - end - step - 1) / -step), step};
}

}  // namespace

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) {
    strides[i - 1] = strides[i] * std::max<std::int64_t>(dims[i], 1);
  }
  return strides;
}

Constant uninitialized(int type, Dims dims, Budget& budget) {
  Constant result{.type = type, .dims = std::move(dims), .floats = {}, .integers = {}};
  const std::size_t count = result.size();
  budget.charge(result.is_floating() ? count : 2 * count);
  if (result.is_floating()) {
    result.floats = Tensor::uninitialized({count});
  } else {
    result.integers.resize(count);
  }
  return result;
}

Constant transpose(const Constant& x, const Dims& order, Budget& budget) {
  const std::size_t rank = x.dims.size();
  check(order.size() == rank, "perm must have an axis for each of the input's: got ",
        printed(order), " for ", printed(x.dims));
  const Dims own = strides_of(x.dims);
  Dims dims;
  Dims strides;
  std::vector<bool> used(rank, false);
  for (const std::int64_t axis : order) {
    const std::size_t i = checked_axis(axis, rank, "perm");
    check(!used[i], "perm must name each axis once: got ", printed(order));
    used[i] = true;
    dims.push_back(x.dims[i]);
    strides.push_back(own[i]);
  }
  return strided(x, dims, strides, 0, budget);
}

Constant slice(const Constant& x, const SliceRange& range, Budget& budget) {
  Dims dims = x.dims;
  Dims strides = strides_of(x.dims);
  std::int64_t offset = 0;
  check(range.starts.size() == range.ends.size() &&
            (range.axes.empty() || range.axes.size() == range.starts.size()) &&
            (range.steps.empty() || range.steps.size() == range.starts.size()),
        "starts, ends, axes and steps must be as many: got ", range.starts.size(), ", ",
        range.ends.size(), ", ", range.axes.size(), " and ", range.steps.size());
  std::vector<bool> used(dims.size(), false);
  for (std::size_t i = 0; i < range.starts.size(); ++i) {
    const std::size_t axis = checked_axis(
        range.axes.empty() ? static_cast<std::int64_t>(i) : range.axes[i], dims.size(), "axes");
    check(!used[axis], "axes must differ: got ", printed(range.axes));
    used[axis] = true;
    const Steps steps = steps_of(dims[axis], range.starts[i], range.ends[i],
                                 range.steps.empty() ? 1 : range.steps[i]);
    dims[axis] = steps.count;
    offset += steps.first * strides[axis];
    strides[axis] *= steps.step;
  }
  return strided(x, dims, strides, offset, budget);
}

Constant gather(const Constant& x, const Constant& indices, std::int64_t axis, Budget& budget) {
  check(!indices.is_floating(), "indices must be integers: they are ", type_name(indices.type));
  const std::size_t at = checked_axis(axis, x.dims.size(), "axis");
  const auto extent = static_cast<std::size_t>(x.dims[at]);
  const Dims outer(x.dims.begin(), x.dims.begin() + static_cast<std::ptrdiff_t>(at));
  const Dims inner(x.dims.begin() + static_cast<std::ptrdiff_t>(at) + 1, x.dims.end());
  Dims dims = outer;
  dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
  dims.insert(dims.end(), inner.begin(), inner.end());
  Constant result = uninitialized(x.type, dims, budget);
  if (result.size() == 0) {
    return result;
  }
  const std::size_t row = count_of(inner);
  std::size_t to = 0;
  for (std::size_t o = 0; o < count_of(outer); ++o) {
    for (const std::int64_t index : indices.integers) {
      const std::size_t from = (o * extent + checked_axis(index, extent, "indices")) * row;
      for (std::size_t i = 0; i < row; ++i, ++to) {
        copy_element(x, from + i, result, to);
      }
    }
  }
  return result;
}

Constant concat(std::span<const Constant* const> parts, std::int64_t axis, Budget& budget) {
  check(!parts.empty(), "there must be inputs: got none");
  const Constant& first = *parts.front();
  const std::size_t at = checked_axis(axis, first.dims.size(), "axis");
  Dims dims = first.dims;
  dims[at] = 0;
  for (const Constant* part : parts) {
    Dims others = part->dims;
    check(part->type == first.type && others.size() == dims.size(),
          "inputs must be of one type and rank: got ", type_name(first.type), " ",
          printed(first.dims), " and ", type_name(part->type), " ", printed(part->dims));
    dims[at] += others[at];
    others[at] = first.dims[at];
    check(others == first.dims, "inputs must differ along the axis only: got ", printed(first.dims),
          " and ", printed(part->dims));
  }
  Constant result = uninitialized(first.type, dims, budget);
  const Dims strides = strides_of(dims);
  std::int64_t offset = 0;
  for (const Constant* part : parts) {
    for_each_element(
        part->dims, strides, offset * strides[at],
        [&](std::size_t from, std::size_t to) { copy_element(*part, from, result, to); });
    offset += part->dims[at];
  }
  return result;
}

}  // namespace lamina::models::onnx

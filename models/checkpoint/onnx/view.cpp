#include "models/checkpoint/onnx/view.h"

#include <algorithm>

#include "core/error.h"

namespace lamina::models::onnx {
namespace {

Axes without_ones(const Axes& axes, const Shape& shape) {
  Axes kept;
  std::ranges::copy_if(axes, std::back_inserter(kept),
                       [&](Axis axis) { return axis == Axis::n || extent_of(shape, axis) != 1; });
  return kept;
}

}  // namespace

std::int64_t extent_of(const Shape& shape, Axis axis) {
  const bool image = shape.rank() == 4;
  switch (axis) {
    case Axis::n:
      return 1;
    case Axis::c:
      return static_cast<std::int64_t>(shape[shape.rank() - 1]);
    case Axis::h:
      return image ? static_cast<std::int64_t>(shape[1]) : 1;
    case Axis::w:
      return image ? static_cast<std::int64_t>(shape[2]) : 1;
  }
  return 1;
}

Dims dims_of(const View& view, const Shape& shape) {
  Dims dims;
  for (const Axes& axes : view.axes) {
    std::int64_t extent = 1;
    for (const Axis axis : axes) {
      std::int64_t pixels = extent_of(shape, axis);
      pixels += axis == Axis::h ? static_cast<std::int64_t>(view.padding.top + view.padding.bottom)
                : axis == Axis::w
                    ? static_cast<std::int64_t>(view.padding.left + view.padding.right)
                    : 0;
      extent *= pixels;
    }
    dims.push_back(extent);
  }
  return dims;
}

bool runs_over(const Axes& axes, const Axes& wanted, const Shape& shape) {
  return without_ones(axes, shape) == without_ones(wanted, shape);
}

bool is_channels_first(const View& view, const Shape& shape) {
  const auto runs = [&](std::size_t i, Axis axis) {
    return runs_over(view.axes[i], {axis}, shape);
  };
  const std::size_t rank = view.axes.size();
  return (rank == 2 || rank == 4) && runs(0, Axis::n) && runs(1, Axis::c) &&
         (rank == 2 || (runs(2, Axis::h) && runs(3, Axis::w)));
}

View transposed(const View& view, const Dims& order) {
  const std::size_t rank = view.axes.size();
  check(order.size() == rank, "perm must have an axis for each of the input's ", rank, ": got ",
        printed(order));
  View result = view;
  std::vector<bool> used(rank, false);
  for (std::size_t to = 0; to < rank; ++to) {
    const std::size_t from = checked_axis(order[to], rank, "perm");
    check(!used[from], "perm must name each axis once: got ", printed(order));
    used[from] = true;
    result.axes[to] = view.axes[from];
  }
  check(order.empty() || order[0] == 0, "the batch must stay the first axis: perm is ",
        printed(order));
  return result;
}

View reshaped(const View& view, const Dims& dims, const Shape& shape) {
  check(!dims.empty() && dims[0] == 1, "the batch must stay the first axis: the shape is ",
        printed(dims), " for one image");
  Axes axes;
  for (const Axes& part : view.axes) {
    axes.insert(axes.end(), part.begin(), part.end());
  }
  axes = without_ones(axes, shape);
  View result = view;
  result.axes = {{Axis::n}};
  auto next = axes.begin() + 1;
  for (std::size_t i = 1; i < dims.size(); ++i) {
    Axes part;
    std::int64_t extent = 1;
    while (extent < dims[i] && next != axes.end()) {
      extent *= extent_of(shape, *next);
      part.push_back(*next++);
    }
    check(extent == dims[i], "an axis must not be cut into parts: the input is ",
          printed(dims_of(view, shape)), ", the shape ", printed(dims));
    result.axes.push_back(part);
  }
  check(next == axes.end(), "shape must have the input's number of values: the input is ",
        printed(dims_of(view, shape)), ", the shape ", printed(dims));
  return result;
}

}  // namespace lamina::models::onnx

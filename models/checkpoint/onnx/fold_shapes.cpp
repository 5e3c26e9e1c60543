#include <algorithm>

#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/checkpoint/onnx/fold.h"

namespace lamina::models::onnx {

Dims reshaped_dims(const Dims& dims, const Dims& wanted, ZeroExtent zero) {
  Dims result = wanted;
  std::int64_t open = -1;
  for (std::size_t i = 0; i < result.size(); ++i) {
    if (result[i] == 0 && zero == ZeroExtent::copies) {
      check(i < dims.size(), "shape's 0 must stand at an axis of the input: it stands at ", i,
            ", the input is ", printed(dims));
      result[i] = dims[i];
    } else if (result[i] == -1) {
      check(open < 0, "shape may hold one -1: got ", printed(wanted));
      open = static_cast<std::int64_t>(i);
      result[i] = 1;
    }
  }
  const std::size_t have = count_of(dims);
  const std::size_t need = count_of(result);
  if (open >= 0 && need > 0 && have % need == 0) {
    result[static_cast<std::size_t>(open)] = static_cast<std::int64_t>(have / need);
  }
  check(count_of(result) == have, "shape must have the input's number of values: the input is ",
        printed(dims), ", the shape ", printed(wanted));
  return result;
}

Dims squeezed_dims(const Dims& dims, const Dims& axes) {
  std::vector<bool> taken(dims.size(), axes.empty());
  for (const std::int64_t axis : axes) {
    const std::size_t i = checked_axis(axis, dims.size(), "axes");
    check(dims[i] == 1, "axes must have extent 1: axis ", axis, " of ", printed(dims), " has ",
          dims[i]);
    taken[i] = true;
  }
  Dims result;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!taken[i] || dims[i] != 1) {
      result.push_back(dims[i]);
    }
  }
  return result;
}

Dims unsqueezed_dims(const Dims& dims, const Dims& axes) {
  const std::size_t rank = dims.size() + axes.size();
  check(rank <= limits::kOnnxRank, "tensors must have at most ", limits::kOnnxRank, " axes: got ",
        rank);
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : axes) {
    const std::size_t i = checked_axis(axis, rank, "axes");
    check(!added[i], "axes must differ: got ", printed(axes));
    added[i] = true;
  }
  Dims result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    result.push_back(added[i] ? 1 : dims[next++]);
  }
  return result;
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  const Dims& longer = a.size() >= b.size() ? a : b;
  const Dims& shorter = a.size() >= b.size() ? b : a;
  Dims result = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& extent = result[offset + i];
    check(extent == shorter[i] || extent == 1 || shorter[i] == 1, "shapes must broadcast: got ",
          printed(a), " and ", printed(b));
    extent = extent == 1 ? shorter[i] : extent;
  }
  return result;
}

}  // namespace lamina::models::onnx

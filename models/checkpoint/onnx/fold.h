#pragma once

#include <span>

#include "models/checkpoint/onnx/constant.h"

/// What operations make of constants. Results are charged to the budget before they are made;
/// every function throws Error for arguments that do not fit.
namespace lamina::models::onnx {

Constant transpose(const Constant& x, const Dims& order, Budget& budget);

/// [starts, ends) by steps along the axes, as ONNX clamps them. Empty axes: the first ones.
struct SliceRange {
  Dims starts, ends, axes, steps;
};
Constant slice(const Constant& x, const SliceRange& range, Budget& budget);

/// x's parts along `axis` at those indices, negative ones from the end.
Constant gather(const Constant& x, const Constant& indices, std::int64_t axis, Budget& budget);

Constant concat(std::span<const Constant* const> parts, std::int64_t axis, Budget& budget);

/// Every value the same, of the value's type.
Constant constant_of_shape(const Dims& dims, const Constant& value, Budget& budget);

Constant cast(const Constant& x, int type, Budget& budget);

enum class Arithmetic { add, subtract, multiply, divide, smaller, larger };
Constant combine(Arithmetic operation, const Constant& a, const Constant& b, Budget& budget);

/// The extents that a Reshape to `wanted` makes of `dims`: -1 is what is left, 0 the extent at the
/// same place unless `zero_means_zero`.
enum class ZeroExtent { copies, is_zero };
Dims reshaped_dims(const Dims& dims, const Dims& wanted, ZeroExtent zero);
Dims squeezed_dims(const Dims& dims, const Dims& axes);
Dims unsqueezed_dims(const Dims& dims, const Dims& axes);
/// The extents of a result that both broadcast to.
Dims broadcast_dims(const Dims& a, const Dims& b);

}  // namespace lamina::models::onnx

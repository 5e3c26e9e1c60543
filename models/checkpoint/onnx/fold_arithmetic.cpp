#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "models/checkpoint/onnx/fold.h"
#include "models/checkpoint/onnx/fold_elements.h"

namespace lamina::models::onnx {
namespace {

// Strides of x where it is repeated to fill `dims`.
Dims broadcast_strides(const Dims& x, const Dims& dims) {
  const Dims own = strides_of(x);
  const std::size_t offset = dims.size() - x.size();
  Dims strides(dims.size(), 0);
  for (std::size_t i = 0; i < x.size(); ++i) {
    strides[offset + i] = x[i] == 1 ? 0 : own[i];
  }
  return strides;
}

float apply(Arithmetic operation, float a, float b) {
  switch (operation) {
    case Arithmetic::add:
      return a + b;
    case Arithmetic::subtract:
      return a - b;
    case Arithmetic::multiply:
      return a * b;
    case Arithmetic::divide:
      return a / b;
    case Arithmetic::smaller:
      return std::min(a, b);
    case Arithmetic::larger:
      return std::max(a, b);
  }
  return 0.0f;
}

// Integers wrap around, as ONNX Runtime's do.
std::int64_t apply(Arithmetic operation, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  switch (operation) {
    case Arithmetic::add:
      return static_cast<std::int64_t>(x + y);
    case Arithmetic::subtract:
      return static_cast<std::int64_t>(x - y);
    case Arithmetic::multiply:
      return static_cast<std::int64_t>(x * y);
    case Arithmetic::divide:
      check(b != 0, "integers must not be divided by zero");
      return b == -1 ? static_cast<std::int64_t>(0 - x) : a / b;
    case Arithmetic::smaller:
      return std::min(a, b);
    case Arithmetic::larger:
      return std::max(a, b);
  }
  return 0;
}

std::int64_t to_integer(float value) {
  constexpr float kLimit = 9.2e18f;
  return std::isnan(value) ? 0 : static_cast<std::int64_t>(std::clamp(value, -kLimit, kLimit));
}

}  // namespace

Constant constant_of_shape(const Dims& dims, const Constant& value, Budget& budget) {
  check(value.size() == 1, "value must be one number: it has ", value.size());
  Constant result = uninitialized(value.type, dims, budget);
  if (result.is_floating()) {
    std::ranges::fill(result.floats.values(), value.floats.values()[0]);
  } else {
    std::ranges::fill(result.integers, value.integers[0]);
  }
  return result;
}

Constant cast(const Constant& x, int type, Budget& budget) {
  constexpr int kBool = 9;
  constexpr int kLastNumber = 13;
  check((type > 0 && type <= kLastNumber && type != 8) || type == 16,
        "must be to a type of numbers: got ", type_name(type));
  if (is_floating_type(type) && x.is_floating()) {
    Constant result = x;
    result.type = type;
    return result;
  }
  Constant result = uninitialized(type, x.dims, budget);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (result.is_floating()) {
      result.floats.data()[i] = static_cast<float>(x.integers[i]);
    } else {
      const std::int64_t value = x.is_floating() ? to_integer(x.floats.data()[i]) : x.integers[i];
      result.integers[i] = type == kBool ? std::int64_t{x.number(i) != 0.0f} : value;
    }
  }
  return result;
}

Constant combine(Arithmetic operation, const Constant& a, const Constant& b, Budget& budget) {
  check(a.is_floating() == b.is_floating(), "inputs must be of one type: got ", type_name(a.type),
        " and ", type_name(b.type));
  const Dims dims = broadcast_dims(a.dims, b.dims);
  const Dims a_strides = broadcast_strides(a.dims, dims);
  const Dims b_strides = broadcast_strides(b.dims, dims);
  Constant result = uninitialized(a.type, dims, budget);
  std::vector<std::size_t> from_b(result.size());
  for_each_element(dims, b_strides, 0, [&](std::size_t i, std::size_t j) { from_b[i] = j; });
  for_each_element(dims, a_strides, 0, [&](std::size_t i, std::size_t j) {
    if (result.is_floating()) {
      result.floats.data()[i] = apply(operation, a.floats.data()[j], b.floats.data()[from_b[i]]);
    } else {
      result.integers[i] = apply(operation, a.integers[j], b.integers[from_b[i]]);
    }
  });
  return result;
}

}  // namespace lamina::models::onnx

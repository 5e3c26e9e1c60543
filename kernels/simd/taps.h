#pragma once

#include <cstddef>

#include "kernels/simd/isa.h"

/// Where a window lies on an image, along one axis.
namespace lamina::kernels::LAMINA_ISA {

/// The taps [begin, end) that read inside of the image.
struct Taps {
  std::size_t begin, end;
};

/// The first of the taps reads position `first`; they are `step` positions apart.
LAMINA_INLINE Taps taps_inside(std::ptrdiff_t first, std::size_t step, std::size_t taps,
                               std::size_t extent) {
  const std::ptrdiff_t stride = static_cast<std::ptrdiff_t>(step);
  const std::ptrdiff_t size = static_cast<std::ptrdiff_t>(extent);
  const std::ptrdiff_t reach = stride * (static_cast<std::ptrdiff_t>(taps) - 1);
  const auto count = [&](std::ptrdiff_t pixels) {
    if (pixels > reach || pixels <= 0) {  // as a rule, and no division
      return pixels <= 0 ? 0 : taps;
    }
    return static_cast<std::size_t>((pixels - 1) / stride + 1);
  };
  return {count(-first), count(size - first)};
}

/// The position that the first tap of output `o` reads.
LAMINA_INLINE std::ptrdiff_t first_tap(std::size_t o, std::size_t stride, std::size_t pad) {
  return static_cast<std::ptrdiff_t>(o * stride) - static_cast<std::ptrdiff_t>(pad);
}

}  // namespace lamina::kernels::LAMINA_ISA

#pragma once

#include <string>

#include "kernels/table.h"
#include "tests/kernels/harness.h"
#include "tests/kernels/network.h"

namespace lamina::test {

/// An image and the window that slides over it, as height and width.
struct WindowCase {
  struct Pair {
    std::size_t h, w;
  };
  Pair in;
  Pair kernel = {3, 3};
  Pair stride = {1, 1};
  Pair dilation = {1, 1};
  Pair before = {0, 0};  // padding above and to the left
  Pair after = {0, 0};   // padding below and to the right

  kernels::Window window() const {
    const auto extent = [](std::size_t size, std::size_t pads, std::size_t reach, std::size_t by) {
      return (size + pads - reach) / by + 1;
    };
    return {.in_h = in.h,
            .in_w = in.w,
            .out_h = extent(in.h, before.h + after.h, dilation.h * (kernel.h - 1) + 1, stride.h),
            .out_w = extent(in.w, before.w + after.w, dilation.w * (kernel.w - 1) + 1, stride.w),
            .kernel_h = kernel.h,
            .kernel_w = kernel.w,
            .stride_h = stride.h,
            .stride_w = stride.w,
            .dilation_h = dilation.h,
            .dilation_w = dilation.w,
            .pad_top = before.h,
            .pad_left = before.w};
  }

  std::string name() const {
    const auto pair = [](const char* key, Pair value) { return join(key, value.h, "x", value.w); };
    return join(pair("i", in), pair("k", kernel), pair("s", stride), pair("d", dilation),
                pair("p", before), pair("q", after));
  }
};

/// A 3x3 layer of the network with symmetric padding.
inline WindowCase window_of(const NetworkLayer& layer) {
  return {.in = {layer.size, layer.size},
          .stride = {layer.stride, layer.stride},
          .before = {1, 1},
          .after = {1, 1}};
}

/// Unlike sizes, strides, dilations and paddings; windows of one tap, and larger than the image.
inline constexpr WindowCase kWindows[] = {
    {.in = {1, 1}, .kernel = {1, 1}},
    {.in = {1, 1}, .before = {1, 1}, .after = {1, 1}},
    {.in = {2, 3}, .kernel = {5, 5}, .before = {2, 2}, .after = {2, 2}},
    {.in = {4, 19}, .kernel = {1, 1}, .stride = {2, 3}},
    {.in = {9, 8}, .kernel = {2, 2}, .stride = {2, 2}},
    {.in = {9, 11}, .kernel = {5, 5}, .before = {2, 2}, .after = {2, 2}},
    {.in = {14, 15}, .kernel = {5, 5}, .stride = {2, 2}, .before = {1, 2}, .after = {2, 1}},
    {.in = {9, 17}, .kernel = {3, 5}, .stride = {1, 2}, .before = {1, 2}, .after = {0, 3}},
    {.in = {17, 9}, .kernel = {7, 1}, .stride = {3, 1}, .before = {3, 0}, .after = {3, 0}},
    {.in = {11, 23}, .dilation = {2, 2}, .before = {2, 2}, .after = {2, 2}},
    {.in = {13, 10}, .stride = {2, 1}, .dilation = {3, 4}, .before = {3, 4}, .after = {1, 5}},
    {.in = {3, 3}, .kernel = {2, 2}, .dilation = {5, 5}, .before = {4, 4}, .after = {4, 4}},
    {.in = {2, 2}, .kernel = {3, 3}, .before = {5, 6}, .after = {6, 5}},
    {.in = {5, 40}, .kernel = {3, 4}, .stride = {1, 1}, .before = {0, 3}, .after = {0, 3}},
};

}  // namespace lamina::test

#include "models/checkpoint/onnx/windows.h"

#include <utility>

#include "core/error.h"

namespace lamina::models::onnx {
namespace {

constexpr std::int64_t kMost = 1 << 20;

std::size_t checked(std::int64_t number, std::int64_t least, const char* what) {
  check(number >= least && number <= kMost, what, " must be from ", least, " to ", kMost, ": got ",
        number);
  return static_cast<std::size_t>(number);
}

nn::Size2 read_pair(const Attributes& attributes, const char* name, nn::Size2 otherwise) {
  const Dims numbers = attributes.integers(name);
  if (numbers.empty()) {
    return otherwise;
  }
  check(numbers.size() == 2, name, " must be two numbers, for images: got ", printed(numbers));
  return {checked(numbers[0], 1, name), checked(numbers[1], 1, name)};
}

}  // namespace

nn::Padding to_padding(const Dims& pads) {
  check(pads.size() == 4, "pads must be four numbers, for images: got ", printed(pads));
  return {.top = checked(pads[0], 0, "pads"),
          .bottom = checked(pads[2], 0, "pads"),
          .left = checked(pads[1], 0, "pads"),
          .right = checked(pads[3], 0, "pads")};
}

nn::Padding together(const nn::Padding& a, const nn::Padding& b) {
  const auto sum = [](std::size_t x, std::size_t y) {
    return checked(static_cast<std::int64_t>(x + y), 0, "pads");
  };
  return {.top = sum(a.top, b.top),
          .bottom = sum(a.bottom, b.bottom),
          .left = sum(a.left, b.left),
          .right = sum(a.right, b.right)};
}

nn::Size2 image_size(const Shape& shape) {
  return shape.rank() == 4 ? nn::Size2(shape[1], shape[2]) : nn::Size2(1);
}

WindowAttributes read_window(const Attributes& attributes, nn::Size2 kernel, nn::Size2 image) {
  WindowAttributes window{.kernel = kernel,
                          .stride = read_pair(attributes, "strides", 1),
                          .dilation = read_pair(attributes, "dilations", 1)};
  const nn::Size2 stated = read_pair(attributes, "kernel_shape", kernel);
  check(stated == kernel, "kernel_shape must be the weight's: it is ", stated.h, " x ", stated.w,
        ", the weight's ", kernel.h, " x ", kernel.w);
  const std::string mode = attributes.word("auto_pad", "NOTSET");
  if (mode == "NOTSET") {
    const Dims pads = attributes.integers("pads");
    window.padding = pads.empty() ? nn::Padding{} : to_padding(pads);
  } else if (mode != "VALID") {
    check(mode == "SAME_UPPER" || mode == "SAME_LOWER",
          "auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER: got ", shortened(mode));
    window.padding = nn::same_padding(image, kernel, window.stride, window.dilation);
    if (mode == "SAME_LOWER") {
      std::swap(window.padding.top, window.padding.bottom);
      std::swap(window.padding.left, window.padding.right);
    }
  }
  return window;
}

}  // namespace lamina::models::onnx

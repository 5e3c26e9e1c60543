#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace lamina::models::onnx {

/// Walks over the bytes of a model once, allocating nothing. Throws Error, its message begun with
/// `prefix`, when they are not protobuf messages or their parsed form would need more memory than
/// limits::kOnnxGrowth and limits::kOnnxObjects allow: an empty message of two bytes takes 200.
void check_wire(std::span<const std::uint8_t> bytes, std::string_view prefix);

}  // namespace lamina::models::onnx

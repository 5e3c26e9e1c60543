#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/table.h"
#include "nn/ops.h"
#include "nn/plan.h"

namespace lamina::nn {

/// Where a step finds a tensor of one image.
struct Place {
  enum class In : std::uint32_t { none, input, arena, output };
  In in = In::none;
  std::size_t offset = 0;  // floats
};

/// No weights: `Step`'s offsets of what is absent.
inline constexpr std::size_t kAbsent = ~std::size_t{0};

/// A matrix of weights [k, n] in panels, and its bias, as offsets in the program's weights.
struct PackedMatrix {
  std::size_t n = 0, k = 0, panel = 0;
  std::size_t values = kAbsent, bias = kAbsent;
};

/// One call of the executor on one image. Plain numbers: what a step needs and nothing else.
struct Step {
  enum class Kind : std::uint32_t {
    product,            // 1x1 convolution or linear
    convolution,        // im2col and a product, by groups
    depthwise,          // any depthwise convolution
    inverted_residual,  // up to three convolutions in slices
    pool,
    scale_shift,
    add,
    clamp,
    softmax,
  };
  Kind kind;
  Place x, residual, y;
  std::size_t rows = 0, channels = 0;  // of x as a matrix [rows, channels]
  std::size_t groups = 1;              // convolution
  kernels::Window first = {};          // inverted_residual, where it expands
  kernels::Window window = {};         // convolutions
  PackedMatrix expand = {};            // inverted_residual
  PackedMatrix matrix = {};            // product, convolution; inverted_residual's projection
  std::size_t taps = kAbsent;          // depthwise weights [KH, KW, C]; scale_shift's scales
  std::size_t taps_bias = kAbsent;     // their bias; scale_shift's shifts
  std::size_t rows_at_once = 0;        // convolution: pixels; inverted_residual
  Bounds inner_bounds = {};            // inverted_residual: before the projection
  Bounds bounds = {};
};

/// A compiled forward pass of one image.
struct Program {
  std::string isa;
  const kernels::KernelTable* kernels = nullptr;
  Shape traced_input, traced_output;
  std::vector<Step> steps;
  std::vector<std::string> names;          // of the steps
  std::size_t arena = 0;                   // floats
  std::size_t scratch = 0;                 // floats for one thread
  std::shared_ptr<const float[]> weights;  // everything that steps have offsets of
  std::size_t weight_floats = 0;
  std::map<std::string, std::string> metadata;
};

}  // namespace lamina::nn

#pragma once

#include <optional>
#include <vector>

#include "nn/plan/layers.h"
#include "nn/plan/program.h"

namespace lamina::nn {

/// How high slices of fused blocks may be.
enum class Slices {
  roomy,
  thin,  // one row: the least memory
};

/// The values that a step reads and makes: 0 is the input, i + 1 the result of layer i.
struct StepValues {
  std::size_t x;
  std::optional<std::size_t> residual;
  std::size_t y;
};

/// Steps whose places are yet to be found.
struct Lowered {
  Program program;
  std::vector<StepValues> values;  // of each step
};

/// Makes the layers into steps for those kernels and packs their weights.
Lowered lower(const kernels::KernelTable& kernels, const std::vector<FusedLayer>& layers,
              Fusion fusion, Slices slices);

}  // namespace lamina::nn

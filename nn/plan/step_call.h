#pragma once

#include "nn/plan/program.h"

namespace lamina::nn {

struct Range {
  std::size_t begin, end;
};

/// A part of one step on one image: its arrays, ready for the kernels.
struct StepCall {
  const kernels::KernelTable& kernels;
  const Step& step;
  const float* weights;  // the program's
  const float* x;
  const float* residual;
  float* y;
  float* scratch;
  std::size_t part, parts;

  const float* weights_at(std::size_t offset) const {
    return offset == kAbsent ? nullptr : weights + offset;
  }
  Range part_of(std::size_t count) const {
    return {count * part / parts, count * (part + 1) / parts};
  }
};

/// Below this many rows, reading the weights of a product costs as much as the products: rows are
/// not cut, so that every panel is read by one thread.
inline constexpr std::size_t kFewRows = 64;

void run_product(const StepCall& call);
void run_convolution(const StepCall& call);
void run_depthwise(const StepCall& call);
void run_inverted_residual(const StepCall& call);
void run_pool(const StepCall& call);
void run_scale_shift(const StepCall& call);
void run_add(const StepCall& call);
void run_clamp(const StepCall& call);
void run_softmax(const StepCall& call);

}  // namespace lamina::nn

#include <algorithm>

#include "nn/ops/blocks.h"
#include "nn/plan/step_call.h"

namespace lamina::nn {

// Whole vectors of channels.
void run_pool(const StepCall& call) {
  const Range vectors = call.part_of(divide_up(call.step.channels, call.kernels.lanes));
  const std::size_t begin = vectors.begin * call.kernels.lanes;
  const std::size_t end = std::min(vectors.end * call.kernels.lanes, call.step.channels);
  call.kernels.mean_rows({.rows = call.step.rows,
                          .channels = end - begin,
                          .x = call.x + begin,
                          .ldx = call.step.channels,
                          .y = call.y + begin});
}

void run_scale_shift(const StepCall& call) {
  const Range rows = call.part_of(call.step.rows);
  const std::size_t first = rows.begin * call.step.channels;
  call.kernels.scale_shift({.rows = rows.end - rows.begin,
                            .channels = call.step.channels,
                            .x = call.x + first,
                            .scale = call.weights_at(call.step.taps),
                            .shift = call.weights_at(call.step.taps_bias),
                            .y = call.y + first,
                            .lo = call.step.bounds.lo,
                            .hi = call.step.bounds.hi});
}

void run_add(const StepCall& call) {
  const Range values = call.part_of(call.step.rows * call.step.channels);
  call.kernels.add({.count = values.end - values.begin,
                    .a = call.x + values.begin,
                    .b = call.residual + values.begin,
                    .y = call.y + values.begin,
                    .lo = call.step.bounds.lo,
                    .hi = call.step.bounds.hi});
}

void run_clamp(const StepCall& call) {
  const Range values = call.part_of(call.step.rows * call.step.channels);
  call.kernels.clamp({.count = values.end - values.begin,
                      .x = call.x + values.begin,
                      .y = call.y + values.begin,
                      .lo = call.step.bounds.lo,
                      .hi = call.step.bounds.hi});
}

void run_softmax(const StepCall& call) {
  const Range rows = call.part_of(call.step.rows);
  const std::size_t first = rows.begin * call.step.channels;
  call.kernels.softmax({.rows = rows.end - rows.begin,
                        .n = call.step.channels,
                        .x = call.x + first,
                        .y = call.y + first});
}

}  // namespace lamina::nn

#pragma once

#include <cstddef>

#include "nn/plan/program.h"

namespace lamina::nn {

/// One image's memory.
struct ImageMemory {
  const float* x;
  float* y;
  float* arena;
};

/// How many parts a step falls into for that many threads; any cut gives the same bits.
std::size_t part_count(const Program& program, const Step& step, std::size_t threads);

/// Part `part` of `parts` of a step. `scratch`: program.scratch floats of this thread's own.
void run_part(const Program& program, const Step& step, const ImageMemory& memory, std::size_t part,
              std::size_t parts, float* scratch);

}  // namespace lamina::nn

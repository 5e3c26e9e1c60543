#include <algorithm>

#include "core/error.h"
#include "nn/kernels.h"
#include "nn/plan/arena.h"
#include "nn/plan/lower.h"
#include "nn/plan/step_memory.h"

namespace lamina::nn {
namespace {

// The values between steps: the input is 0, the output `count` + 1.
std::vector<Lifetime> lifetimes_of(const Lowered& lowered, std::size_t count) {
  std::vector<Lifetime> lifetimes(count);
  for (std::size_t s = 0; s < lowered.values.size(); ++s) {
    const StepValues& values = lowered.values[s];
    if (values.y <= count) {
      const StepMemory memory = memory_of(*lowered.program.kernels, lowered.program.steps[s]);
      lifetimes[values.y - 1] = {.floats = memory.y, .first = s, .last = s, .used = true};
    }
    for (const std::size_t read : {values.x, values.residual.value_or(0)}) {
      if (read > 0) {
        lifetimes[read - 1].last = s;
      }
    }
  }
  return lifetimes;
}

// Gives every value between steps its place in the arena.
Program place(Lowered lowered, std::size_t layers) {
  Program& program = lowered.program;
  const std::vector<Lifetime> lifetimes = lifetimes_of(lowered, layers - 1);
  const std::vector<std::size_t> offsets = plan_arena(lifetimes, program.arena);
  const auto at = [&](std::size_t value) -> Place {
    return value == 0        ? Place{Place::In::input, 0}
           : value == layers ? Place{Place::In::output, 0}
                             : Place{Place::In::arena, offsets[value - 1]};
  };
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const StepValues& values = lowered.values[s];
    program.steps[s].x = at(values.x);
    program.steps[s].y = at(values.y);
    if (values.residual) {
      program.steps[s].residual = at(*values.residual);
    }
  }
  return std::move(program);
}

PlanMemory whole_memory(const Program& program) {
  return {.weights = program.weight_floats * sizeof(float),
          .arena = program.arena * sizeof(float),
          .scratch = program.scratch * sizeof(float)};
}

void check_shapes(const Graph& graph) {
  const Shape& input = graph.nodes.front().shape;
  check(input.rank() >= 2 && input.size() > 0,
        "compile: the input must have images and channels: got ", input);
  for (const Node& node : graph.nodes) {
    check(node.shape.rank() >= 2 && node.shape[0] == input[0],
          "compile: every tensor must have the batch as its first axis: ", node.name, " makes ",
          node.shape, ", the input is ", input);
  }
}

Program make_program(const Graph& graph, const std::vector<FusedLayer>& layers, Fusion fusion,
                     Slices slices) {
  Program program = place(lower(active_kernels(), layers, fusion, slices), layers.size());
  program.traced_input = graph.nodes.front().shape;
  program.traced_output = graph.nodes[graph.output].shape;
  return program;
}

}  // namespace

Plan compile(const Graph& graph, const CompileOptions& options) {
  const std::vector<FusedLayer> layers = fuse(graph);
  check_shapes(graph);
  Program program = make_program(graph, layers, options.fusion, Slices::roomy);
  const std::size_t limit = options.max_memory.value_or(~std::size_t{0});
  if (whole_memory(program).total() > limit) {
    program = make_program(graph, layers, Fusion::always, Slices::thin);
  }
  const std::size_t least = whole_memory(program).total();
  check(least <= limit, "compile: the plan must fit in max_memory: it needs ", least,
        " bytes at least, max_memory is ", limit);
  program.metadata = options.metadata;
  return Plan(std::make_shared<const Program>(std::move(program)));
}

PlanMemory Plan::memory() const { return whole_memory(*program_); }

}  // namespace lamina::nn

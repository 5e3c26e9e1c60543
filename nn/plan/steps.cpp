#include "nn/plan/steps.h"

#include <algorithm>

#include "nn/ops/blocks.h"
#include "nn/plan/step_call.h"

namespace lamina::nn {
namespace {

// Parts for each thread where a part costs nothing extra: the faster thread takes more of them.
constexpr std::size_t kPartsPerThread = 2;

const float* find(const Place& place, const ImageMemory& memory) {
  switch (place.in) {
    case Place::In::none:
      return nullptr;
    case Place::In::input:
      return memory.x + place.offset;
    case Place::In::arena:
      return memory.arena + place.offset;
    case Place::In::output:
      return memory.y + place.offset;
  }
  return nullptr;
}

// What can be cut, and how finely it is worth cutting.
std::size_t most_parts(const Program& program, const Step& step, std::size_t threads) {
  const std::size_t many = threads * kPartsPerThread;
  const std::size_t lanes = program.kernels->lanes;
  switch (step.kind) {
    case Step::Kind::product:
      return step.rows < kFewRows
                 ? std::min(many, divide_up(step.matrix.n, step.matrix.panel * lanes))
                 : std::min(many, step.rows);
    case Step::Kind::convolution:
      return std::min(many, step.window.out_h * step.window.out_w);
    case Step::Kind::depthwise:
      return std::min(many, step.window.out_h);
    case Step::Kind::inverted_residual:  // each part makes up to two rows of the next part's
      return std::min(threads, step.window.out_h);
    case Step::Kind::pool:
      return std::min(threads, divide_up(step.channels, lanes));
    case Step::Kind::scale_shift:
    case Step::Kind::softmax:
      return std::min(threads, step.rows);
    case Step::Kind::add:
    case Step::Kind::clamp:
      return std::min(threads, step.rows * step.channels);
  }
  return 1;
}

}  // namespace

std::size_t part_count(const Program& program, const Step& step, std::size_t threads) {
  return threads == 1 ? 1 : std::max<std::size_t>(1, most_parts(program, step, threads));
}

void run_part(const Program& program, const Step& step, const ImageMemory& memory, std::size_t part,
              std::size_t parts, float* scratch) {
  const StepCall call = {.kernels = *program.kernels,
                         .step = step,
                         .weights = program.weights.get(),
                         .x = find(step.x, memory),
                         .residual = find(step.residual, memory),
                         .y = const_cast<float*>(find(step.y, memory)),
                         .scratch = scratch,
                         .part = part,
                         .parts = parts};
  switch (step.kind) {
    case Step::Kind::product:
      return run_product(call);
    case Step::Kind::convolution:
      return run_convolution(call);
    case Step::Kind::depthwise:
      return run_depthwise(call);
    case Step::Kind::inverted_residual:
      return run_inverted_residual(call);
    case Step::Kind::pool:
      return run_pool(call);
    case Step::Kind::scale_shift:
      return run_scale_shift(call);
    case Step::Kind::add:
      return run_add(call);
    case Step::Kind::clamp:
      return run_clamp(call);
    case Step::Kind::softmax:
      return run_softmax(call);
  }
}

}  // namespace lamina::nn

#include "nn/plan/step_memory.h"

#include <algorithm>
#include <initializer_list>

#include "nn/plan/weights.h"

namespace lamina::nn {
namespace {

std::size_t product(std::initializer_list<std::size_t> factors) {
  std::size_t result = 1;
  for (const std::size_t factor : factors) {
    if (__builtin_mul_overflow(result, factor, &result)) {
      return ~std::size_t{0};
    }
  }
  return result;
}

std::size_t input_of(const kernels::Window& window, std::size_t channels) {
  return product({window.in_h, window.in_w, channels});
}

std::size_t output_of(const kernels::Window& window, std::size_t channels) {
  return product({window.out_h, window.out_w, channels});
}

class Memory {
 public:
  Memory(const kernels::KernelTable& kernels, const Step& step) : kernels_(kernels), step_(step) {}

  StepMemory run() {
    const std::size_t whole = product({step_.rows, step_.channels});
    switch (step_.kind) {
      case Step::Kind::product:
        matrix(0, step_.matrix, 1);
        touch(product({step_.rows, step_.matrix.k}), product({step_.rows, step_.matrix.n}));
        break;
      case Step::Kind::convolution:
        matrix(0, step_.matrix, step_.groups);
        touch(input_of(step_.window, step_.channels),
              output_of(step_.window, product({step_.matrix.n, step_.groups})));
        memory_.scratch = product({step_.rows_at_once, step_.matrix.k});
        break;
      case Step::Kind::depthwise:
        taps(step_.channels);
        touch(input_of(step_.window, step_.channels), output_of(step_.window, step_.channels));
        break;
      case Step::Kind::inverted_residual:
        inverted_residual();
        break;
      case Step::Kind::pool:
        touch(whole, step_.channels);
        break;
      case Step::Kind::scale_shift:
        memory_.weights[0] = {step_.taps, step_.channels};
        memory_.weights[1] = {step_.taps_bias, step_.channels};
        touch(whole, whole);
        break;
      case Step::Kind::add:
      case Step::Kind::clamp:
      case Step::Kind::softmax:
        touch(whole, whole);
        break;
    }
    return memory_;
  }

 private:
  void touch(std::size_t x, std::size_t y) {
    memory_.x = x;
    memory_.y = y;
    memory_.residual = step_.residual.in == Place::In::none ? 0 : y;
  }

  void matrix(std::size_t i, const PackedMatrix& packed, std::size_t groups) {
    memory_.weights[i] = {packed.values,
                          product({groups, group_floats(kernels_, packed.n, packed.k)})};
    memory_.weights[i + 1] = {packed.bias, product({groups, packed.n})};
  }

  void taps(std::size_t channels) {
    const kernels::Window& window = step_.window;
    memory_.weights[4] = {step_.taps, product({window.kernel_h, window.kernel_w, channels})};
    memory_.weights[5] = {step_.taps_bias, channels};
  }

  void inverted_residual() {
    const kernels::Window& window = step_.window;
    const bool expands = step_.expand.values != kAbsent;
    if (expands) {
      matrix(0, step_.expand, 1);
    }
    matrix(2, step_.matrix, 1);
    taps(step_.matrix.k);
    touch(input_of(expands ? step_.first : window, step_.channels),
          output_of(window, step_.matrix.n));
    // The kernel's own sum of a few such products would wrap around.
    constexpr std::size_t kMostScratch = std::size_t{1} << 48;
    const std::size_t rows = step_.rows_at_once * std::max<std::size_t>(1, window.stride_h) + 3;
    const std::size_t width = std::max(window.in_w, window.out_w) + 1;
    const bool fits = memory_.weights[0].floats <= kMostScratch &&
                      product({rows, width, step_.matrix.k}) <= kMostScratch &&
                      product({width, step_.expand.k}) <= kMostScratch &&
                      product({step_.first.stride_w, step_.channels, 128}) <= kMostScratch;
    memory_.scratch =
        fits ? kernels_.inverted_residual_scratch(block_shape(step_)) : ~std::size_t{0};
  }

  const kernels::KernelTable& kernels_;
  const Step& step_;
  StepMemory memory_;
};

}  // namespace

StepMemory memory_of(const kernels::KernelTable& kernels, const Step& step) {
  return Memory(kernels, step).run();
}

kernels::InvertedResidualArgs block_shape(const Step& step) {
  static constexpr float kPresent = 0.0f;
  kernels::InvertedResidualArgs args = {};
  args.first = step.first;
  args.window = step.window;
  args.in_channels = step.channels;
  args.hidden = step.matrix.k;
  args.out_channels = step.matrix.n;
  args.rows_at_once = step.rows_at_once;
  args.expand = step.expand.values == kAbsent ? nullptr : &kPresent;
  args.expand_panel = step.expand.panel;
  return args;
}

std::size_t scratch_of(const Program& program) {
  std::size_t scratch = 0;
  for (const Step& step : program.steps) {
    scratch = std::max(scratch, memory_of(*program.kernels, step).scratch);
  }
  return scratch;
}

std::size_t per_image(const Shape& shape) { return shape.size() / shape[0]; }

}  // namespace lamina::nn

#include "nn/plan/steps.h"

#include <algorithm>

#include "nn/ops/blocks.h"
#include "nn/plan/weights.h"

namespace lamina::nn {
namespace {

// Parts for each thread where a part costs nothing extra: the faster thread takes more of them.
constexpr std::size_t kPartsPerThread = 2;

// Below this, reading the weights costs as much as the products: rows are not cut, so that every
// panel is read by one thread.
constexpr std::size_t kFewRows = 64;

struct Range {
  std::size_t begin, end;
};

Range range_of(std::size_t count, std::size_t part, std::size_t parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

// A part of one step on one image: finds the arrays and calls the kernel.
class Part {
 public:
  Part(const Program& program, const Step& step, const ImageMemory& memory, std::size_t part,
       std::size_t parts, float* scratch)
      : program_(program),
        kernels_(*program.kernels),
        step_(step),
        x_(read(step.x, memory)),
        residual_(read(step.residual, memory)),
        y_(const_cast<float*>(read(step.y, memory))),
        part_(part),
        parts_(parts),
        scratch_(scratch) {}

  void run() const {
    switch (step_.kind) {
      case Step::Kind::product:
        return product();
      case Step::Kind::convolution:
        return convolution();
      case Step::Kind::depthwise:
        return depthwise();
      case Step::Kind::inverted_residual:
        return inverted_residual();
      case Step::Kind::pool:
        return pool();
      case Step::Kind::scale_shift:
        return scale_shift();
      case Step::Kind::add:
        return add();
      case Step::Kind::clamp:
        return clamp();
      case Step::Kind::softmax:
        return softmax();
    }
  }

 private:
  static const float* read(const Place& place, const ImageMemory& memory) {
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

  const float* weights(std::size_t offset) const {
    return offset == kAbsent ? nullptr : program_.weights.data() + offset;
  }

  Range part_of(std::size_t count) const { return range_of(count, part_, parts_); }

  // Rows of A, columns [panel] of B.
  void multiply(const PackedMatrix& matrix, const float* a, std::size_t lda, Range rows,
                Range panels) const {
    const std::size_t width = matrix.panel * kernels_.lanes;
    const std::size_t column = panels.begin * width;
    const std::size_t first = rows.begin * matrix.n + column;
    const float* bias = weights(matrix.bias);
    kernels_.gemm({.m = rows.end - rows.begin,
                   .n = std::min(panels.end * width, matrix.n) - column,
                   .k = matrix.k,
                   .panel = matrix.panel,
                   .a = a + rows.begin * lda,
                   .lda = lda,
                   .packed = weights(matrix.values) + column * matrix.k,
                   .bias = bias == nullptr ? nullptr : bias + column,
                   .residual = residual_ == nullptr ? nullptr : residual_ + first,
                   .ld_residual = matrix.n,
                   .c = y_ + first,
                   .ldc = matrix.n,
                   .lo = step_.bounds.lo,
                   .hi = step_.bounds.hi});
  }

  void product() const {
    const PackedMatrix& matrix = step_.matrix;
    const std::size_t panels = divide_up(matrix.n, matrix.panel * kernels_.lanes);
    if (step_.rows < kFewRows) {
      multiply(matrix, x_, matrix.k, {0, step_.rows}, part_of(panels));
    } else {
      multiply(matrix, x_, matrix.k, part_of(step_.rows), {0, panels});
    }
  }

  void convolution() const {
    const Range pixels = part_of(step_.window.out_h * step_.window.out_w);
    for (std::size_t group = 0; group < step_.groups; ++group) {
      for (std::size_t at = pixels.begin; at < pixels.end; at += step_.rows_at_once) {
        convolve_pixels(group, {at, std::min(pixels.end, at + step_.rows_at_once)});
      }
    }
  }

  void convolve_pixels(std::size_t group, Range pixels) const {
    const PackedMatrix& matrix = step_.matrix;
    const std::size_t channels = step_.channels / step_.groups;
    const std::size_t out_channels = matrix.n * step_.groups;
    const std::size_t column = group * matrix.n;
    const std::size_t first = pixels.begin * out_channels + column;
    const float* bias = weights(matrix.bias);
    kernels_.im2col({.window = step_.window,
                     .channels = channels,
                     .pixel_begin = pixels.begin,
                     .pixel_end = pixels.end,
                     .x = x_ + group * channels,
                     .ldx = step_.channels,
                     .columns = scratch_});
    kernels_.gemm(
        {.m = pixels.end - pixels.begin,
         .n = matrix.n,
         .k = matrix.k,
         .panel = matrix.panel,
         .a = scratch_,
         .lda = matrix.k,
         .packed = weights(matrix.values) + group * group_floats(kernels_, matrix.n, matrix.k),
         .bias = bias == nullptr ? nullptr : bias + column,
         .residual = residual_ == nullptr ? nullptr : residual_ + first,
         .ld_residual = out_channels,
         .c = y_ + first,
         .ldc = out_channels,
         .lo = step_.bounds.lo,
         .hi = step_.bounds.hi});
  }

  void depthwise() const {
    const Range rows = part_of(step_.window.out_h);
    const auto kernel = step_.fits_3x3 ? kernels_.depthwise3x3 : kernels_.depthwise;
    kernel({.window = step_.window,
            .channels = step_.channels,
            .row_begin = rows.begin,
            .row_end = rows.end,
            .x = x_,
            .w = weights(step_.taps),
            .bias = weights(step_.taps_bias),
            .y = y_,
            .lo = step_.bounds.lo,
            .hi = step_.bounds.hi});
  }

  void inverted_residual() const {
    const Range rows = part_of(step_.window.out_h);
    kernels_.inverted_residual({.first = step_.first,
                                .window = step_.window,
                                .in_channels = step_.channels,
                                .hidden = step_.matrix.k,
                                .out_channels = step_.matrix.n,
                                .row_begin = rows.begin,
                                .row_end = rows.end,
                                .rows_at_once = step_.rows_at_once,
                                .x = x_,
                                .expand = weights(step_.expand.values),
                                .expand_panel = step_.expand.panel,
                                .expand_bias = weights(step_.expand.bias),
                                .depthwise = weights(step_.taps),
                                .depthwise_bias = weights(step_.taps_bias),
                                .project = weights(step_.matrix.values),
                                .project_panel = step_.matrix.panel,
                                .project_bias = weights(step_.matrix.bias),
                                .residual = residual_,
                                .y = y_,
                                .lo = step_.inner_bounds.lo,
                                .hi = step_.inner_bounds.hi,
                                .project_lo = step_.bounds.lo,
                                .project_hi = step_.bounds.hi,
                                .scratch = scratch_});
  }

  // Whole vectors of channels.
  void pool() const {
    const Range vectors = part_of(divide_up(step_.channels, kernels_.lanes));
    const std::size_t begin = vectors.begin * kernels_.lanes;
    const std::size_t end = std::min(vectors.end * kernels_.lanes, step_.channels);
    kernels_.mean_rows({.rows = step_.rows,
                        .channels = end - begin,
                        .x = x_ + begin,
                        .ldx = step_.channels,
                        .y = y_ + begin});
  }

  void scale_shift() const {
    const Range rows = part_of(step_.rows);
    const std::size_t first = rows.begin * step_.channels;
    kernels_.scale_shift({.rows = rows.end - rows.begin,
                          .channels = step_.channels,
                          .x = x_ + first,
                          .scale = weights(step_.taps),
                          .shift = weights(step_.taps_bias),
                          .y = y_ + first,
                          .lo = step_.bounds.lo,
                          .hi = step_.bounds.hi});
  }

  void add() const {
    const Range values = part_of(step_.rows * step_.channels);
    kernels_.add({.count = values.end - values.begin,
                  .a = x_ + values.begin,
                  .b = residual_ + values.begin,
                  .y = y_ + values.begin,
                  .lo = step_.bounds.lo,
                  .hi = step_.bounds.hi});
  }

  void clamp() const {
    const Range values = part_of(step_.rows * step_.channels);
    kernels_.clamp({.count = values.end - values.begin,
                    .x = x_ + values.begin,
                    .y = y_ + values.begin,
                    .lo = step_.bounds.lo,
                    .hi = step_.bounds.hi});
  }

  void softmax() const {
    const Range rows = part_of(step_.rows);
    const std::size_t first = rows.begin * step_.channels;
    kernels_.softmax(
        {.rows = rows.end - rows.begin, .n = step_.channels, .x = x_ + first, .y = y_ + first});
  }

  const Program& program_;
  const kernels::KernelTable& kernels_;
  const Step& step_;
  const float* x_;
  const float* residual_;
  float* y_;
  std::size_t part_, parts_;
  float* scratch_;
};

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
  Part(program, step, memory, part, parts, scratch).run();
}

}  // namespace lamina::nn

#include "nn/plan/validate.h"

#include <algorithm>

#include "core/error.h"
#include "nn/file_limits.h"
#include "nn/ops/conv2d.h"
#include "nn/plan/layer_rules.h"
#include "nn/plan/step_memory.h"

namespace lamina::nn {
namespace {

// Where kernels expect rows and packed panels to begin: 64 bytes.
constexpr std::size_t kAlignFloats = 16;

struct Region {
  std::size_t begin, floats;
};

bool meet(Region a, Region b) {
  return a.begin < b.begin + b.floats && b.begin < a.begin + a.floats;
}

class StepCheck {
 public:
  StepCheck(const Program& program, std::size_t index, const std::string& source)
      : program_(program),
        kernels_(*program.kernels),
        step_(program.steps[index]),
        index_(index),
        source_(source) {}

  void run() const {
    extents();
    fields();
    memory();
  }

 private:
  template <class... Parts>
  void require(bool condition, const Parts&... parts) const {
    check(condition, source_, ": step ", index_, ": ", parts...);
  }

  void within(const char* what, std::size_t number, std::size_t least, std::size_t most) const {
    require(number >= least && number <= most, what, " must be from ", least, " to ", most,
            ": got ", number);
  }

  void equal(const char* what, std::size_t number, std::size_t other) const {
    require(number == other, what, " must agree: got ", number, " and ", other);
  }

  // Small enough for any product of two, and some of three.
  void extents() const {
    within("the kind", static_cast<std::size_t>(step_.kind), 0,
           static_cast<std::size_t>(Step::Kind::softmax));
    within("the rows", step_.rows, 1, kMaxExtent);
    within("the channels", step_.channels, 1, kMaxExtent);
    within("the groups", step_.groups, 1, kMaxExtent);
    for (const Bounds& bounds : {step_.bounds, step_.inner_bounds}) {
      require(bounds.lo <= bounds.hi, "bounds must be in order: lo is ", bounds.lo, ", hi is ",
              bounds.hi);
    }
  }

  void window(const kernels::Window& w) const {
    for (const std::size_t number : {w.in_h, w.in_w, w.out_h, w.out_w, w.kernel_h, w.kernel_w,
                                     w.stride_h, w.stride_w, w.dilation_h, w.dilation_w}) {
      within("a window's extents", number, 1, kMaxExtent);
    }
    for (const std::size_t pad : {w.pad_top, w.pad_left}) {
      within("a window's padding", pad, 0, kMaxExtent);
    }
  }

  void matrix(const PackedMatrix& packed) const {
    within("a matrix's columns", packed.n, 1, kMaxExtent);
    within("a matrix's rows", packed.k, 1, kMaxExtent);
    within("a matrix's panel", packed.panel, 1, kernels_.max_panel);
    present("a matrix", packed.values);
  }

  void present(const char* what, std::size_t offset) const {
    require(offset != kAbsent, what, " must have weights: it has none");
  }

  void fields() const {
    switch (step_.kind) {
      case Step::Kind::product:
        matrix(step_.matrix);
        return equal("the channels and the matrix's rows", step_.channels, step_.matrix.k);
      case Step::Kind::convolution:
        return convolution();
      case Step::Kind::depthwise:
        window(step_.window);
        return present("a depthwise convolution", step_.taps);
      case Step::Kind::inverted_residual:
        return inverted_residual();
      case Step::Kind::scale_shift:
        present("a scale", step_.taps);
        return present("a shift", step_.taps_bias);
      case Step::Kind::add:
        return require(step_.residual.in != Place::In::none, "an addition must have two inputs");
      case Step::Kind::pool:
      case Step::Kind::clamp:
      case Step::Kind::softmax:
        return;
    }
  }

  void convolution() const {
    const kernels::Window& w = step_.window;
    window(w);
    matrix(step_.matrix);
    require(step_.channels % step_.groups == 0, "channels must be a multiple of the groups: got ",
            step_.channels, " and ", step_.groups);
    taps_agree(w, step_.channels / step_.groups, step_.matrix.k);
    within("the pixels at once", step_.rows_at_once, 1, w.out_h * w.out_w);
  }

  // kernel_h * kernel_w * channels == depth, without overflow.
  void taps_agree(const kernels::Window& w, std::size_t channels, std::size_t depth) const {
    const std::size_t taps = w.kernel_h * w.kernel_w;
    require(taps <= kMaxExtent && taps * channels == depth,
            "the matrix must have a row for each value under the window: it has ", depth, ", ",
            taps, " taps of ", channels, " channels");
  }

  void inverted_residual() const {
    const kernels::Window& w = step_.window;
    window(w);
    require(is_depthwise3x3(w), "the depthwise convolution must be 3x3: its window is ", w.kernel_h,
            " x ", w.kernel_w, ", stride ", w.stride_h, ", padding ", w.pad_top);
    matrix(step_.matrix);
    present("the depthwise convolution", step_.taps);
    within("the rows of a slice", step_.rows_at_once, 1, w.out_h);
    if (step_.expand.values == kAbsent) {
      return equal("input and hidden channels", step_.channels, step_.matrix.k);
    }
    window(step_.first);
    require(fits_first(step_.first),
            "the first convolution must be of a kind made row by row: ", step_.first.kernel_h,
            " x ", step_.first.kernel_w, ", stride ", step_.first.stride_h, ", padding ",
            step_.first.pad_top);
    matrix(step_.expand);
    equal("hidden rows", step_.first.out_h, w.in_h);
    equal("hidden columns", step_.first.out_w, w.in_w);
    equal("hidden channels", step_.expand.n, step_.matrix.k);
    taps_agree(step_.first, step_.channels, step_.expand.k);
  }

  void memory() const {
    const StepMemory memory = memory_of(kernels_, step_);
    place("the input", step_.x, memory.x);
    place("the result", step_.y, memory.y);
    require(step_.x.in != Place::In::none && step_.x.in != Place::In::output &&
                step_.residual.in != Place::In::output,
            "a step must read from the input or the arena");
    require(step_.y.in == Place::In::arena || step_.y.in == Place::In::output,
            "a step must write to the arena or the output");
    if (step_.residual.in != Place::In::none) {
      place("the residual", step_.residual, memory.residual);
      apart(step_.residual, memory.residual, memory.y);
    }
    apart(step_.x, memory.x, memory.y);
    within("the scratch", memory.scratch, 0, limits::kPlanFloats);
    for (const WeightRange& range : memory.weights) {
      if (range.offset != kAbsent) {
        inside("weights", {range.offset, range.floats}, program_.weight_floats);
      }
    }
  }

  void place(const char* what, const Place& place, std::size_t floats) const {
    within("a place", static_cast<std::size_t>(place.in), 0,
           static_cast<std::size_t>(Place::In::output));
    const std::size_t room = place.in == Place::In::arena    ? program_.arena
                             : place.in == Place::In::output ? per_image(program_.traced_output)
                             : place.in == Place::In::input  ? per_image(program_.traced_input)
                                                             : 0;
    inside(what, {place.offset, floats}, room);
  }

  void inside(const char* what, Region region, std::size_t room) const {
    require(region.begin % kAlignFloats == 0 && region.floats <= room &&
                region.begin <= room - region.floats,
            what, " must lie inside of its memory: ", region.floats, " floats from ", region.begin,
            " of ", room);
  }

  void apart(const Place& from, std::size_t floats, std::size_t written) const {
    require(from.in != step_.y.in || !meet({from.offset, floats}, {step_.y.offset, written}),
            "a step must not write over what it reads: it reads ", floats, " floats from ",
            from.offset, ", writes ", written, " from ", step_.y.offset);
  }

  const Program& program_;
  const kernels::KernelTable& kernels_;
  const Step& step_;
  std::size_t index_;
  const std::string& source_;
};

void check_shape(const Shape& shape, const Shape& input, const std::string& source) {
  check(shape.rank() >= 2 && shape.size() > 0 && shape[0] == input[0], source,
        ": input and output must be images of one batch: got ", input, " and ", shape);
  check(per_image(shape) <= limits::kPlanFloats, source, ": an image must have at most ",
        limits::kPlanFloats, " values: got ", shape);
}

}  // namespace

void validate(Program& program, const std::string& source) {
  check_shape(program.traced_input, program.traced_input, source);
  check_shape(program.traced_output, program.traced_input, source);
  check(program.arena <= limits::kPlanFloats, source, ": the arena must have at most ",
        limits::kPlanFloats, " floats: got ", program.arena);
  check(!program.steps.empty(), source, ": there must be steps: got none");
  for (std::size_t i = 0; i < program.steps.size(); ++i) {
    StepCheck(program, i, source).run();
  }
  const Step& last = program.steps.back();
  const std::size_t written = memory_of(*program.kernels, last).y;
  check(last.y.in == Place::In::output && written == per_image(program.traced_output), source,
        ": the last step must write the whole output: it writes ", written, " of ",
        per_image(program.traced_output), " values");
  program.scratch = scratch_of(program);
}

}  // namespace lamina::nn

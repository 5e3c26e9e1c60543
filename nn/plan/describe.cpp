#include <iomanip>
#include <sstream>

#include "nn/plan/step_memory.h"

namespace lamina::nn {
namespace {

const char* kind_name(Step::Kind kind) {
  switch (kind) {
    case Step::Kind::product:
      return "product";
    case Step::Kind::convolution:
      return "convolution";
    case Step::Kind::depthwise:
      return "depthwise";
    case Step::Kind::inverted_residual:
      return "inverted_residual";
    case Step::Kind::pool:
      return "pool";
    case Step::Kind::scale_shift:
      return "scale_shift";
    case Step::Kind::add:
      return "add";
    case Step::Kind::clamp:
      return "clamp";
    case Step::Kind::softmax:
      return "softmax";
  }
  return "";
}

std::string place_name(const Place& place) {
  switch (place.in) {
    case Place::In::none:
      return "-";
    case Place::In::input:
      return "input";
    case Place::In::output:
      return "output";
    case Place::In::arena:
      return std::to_string(place.offset * sizeof(float) / 1024) + " KB";
  }
  return "";
}

// "3136x96x24 in panels of 2".
void print_product(std::ostream& out, std::size_t m, const PackedMatrix& matrix) {
  out << m << 'x' << matrix.k << 'x' << matrix.n << " in panels of " << matrix.panel;
}

void print_shape(std::ostream& out, const Step& step) {
  const kernels::Window& window = step.window;
  switch (step.kind) {
    case Step::Kind::product:
      print_product(out, step.rows, step.matrix);
      break;
    case Step::Kind::convolution:
      print_product(out, window.out_h * window.out_w, step.matrix);
      break;
    case Step::Kind::depthwise:
      out << window.in_h << 'x' << window.in_w << 'x' << step.channels << " stride "
          << window.stride_h;
      break;
    case Step::Kind::inverted_residual:
      out << step.channels << " > " << step.matrix.k << " > " << step.matrix.n << " at "
          << window.in_h << 'x' << window.in_w << " stride " << window.stride_h << ", "
          << step.rows_at_once << " rows a slice";
      if (step.expand.values != kAbsent) {
        out << ", panels of " << step.expand.panel;
      }
      break;
    default:
      out << step.rows << 'x' << step.channels;
  }
}

}  // namespace

std::string Plan::describe() const {
  std::ostringstream out;
  out << program_->isa << ", " << memory().weights / 1024 << " KB of weights, "
      << memory().arena / 1024 << " KB of arena, " << memory().scratch / 1024
      << " KB of scratch a thread\n";
  for (std::size_t i = 0; i < program_->steps.size(); ++i) {
    const Step& step = program_->steps[i];
    std::ostringstream shape;
    print_shape(shape, step);
    out << std::left << std::setw(18) << kind_name(step.kind) << std::setw(62) << shape.str()
        << std::right << std::setw(6)
        << memory_of(*program_->kernels, step).scratch * sizeof(float) / 1024 << " KB scratch  "
        << std::setw(8) << place_name(step.x) << " -> " << std::left << std::setw(8)
        << place_name(step.y) << "  " << program_->names[i] << '\n';
  }
  return out.str();
}

}  // namespace lamina::nn

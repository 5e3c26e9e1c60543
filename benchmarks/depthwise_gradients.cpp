#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <set>
#include <string>

#include "benchmarks/kernel_cases.h"
#include "benchmarks/peak.h"
#include "benchmarks/reporter.h"
#include "kernels/dispatch.h"
#include "models/mobilenet_v2.h"

// Both gradients of every depthwise layer of MobileNetV2 at 224 and at 32 pixels, for every
// instruction set of this CPU, one thread. "image" takes one image in bands of rows that fit in the
// L2 cache; "band" takes one such band again and again. Multiply-adds with the padding do not
// count. Each result is compared with the reference kernel's before it is timed.
namespace {

using namespace lamina;
using namespace lamina::benchmarks;
using kernels::KernelTable;
using models::LayerInfo;

constexpr std::size_t kBandBytes = 300'000;

// Multiply-adds along one axis: of each output with the inputs in its window that exist.
std::size_t products(std::size_t in, std::size_t out, std::size_t stride, std::size_t pad) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < out; ++i) {
    for (std::size_t tap = 0; tap < 3; ++tap) {
      count += i * stride + tap - pad < in ? 1 : 0;
    }
  }
  return count;
}

// One layer's x, w and dy, of a single image, and what both have in common.
class Gradient {
 public:
  Gradient(const LayerInfo& layer, const KernelTable& table)
      : kernels_(table.gradients),
        window_(window_of(layer)),
        channels_(layer.input[3]),
        x_(random_tensor(layer.input)),
        w_(random_tensor({3, 3, channels_})),
        dy_(random_tensor(layer.output)) {}

  // Operations and bytes of the whole image.
  double operations() const {
    const std::size_t pairs =
        products(window_.in_h, window_.out_h, window_.stride_h, window_.pad_top) *
        products(window_.in_w, window_.out_w, window_.stride_w, window_.pad_left);
    return 2.0 * static_cast<double>(pairs * channels_);
  }
  double bytes() const { return bytes_of({&x_, &w_, &dy_}); }

 protected:
  // As many of `rows` as fit in a band, when each row brings its share of x and dy.
  std::size_t band(std::size_t rows) const {
    const std::size_t fit = kBandBytes * rows / static_cast<std::size_t>(bytes());
    return std::clamp(fit / 2 * 2, std::min<std::size_t>(rows, 2), rows);
  }

  const kernels::GradientKernels& kernels_;
  kernels::Window window_;
  std::size_t channels_;
  Tensor x_, w_, dy_;
};

class InputGradient : public Gradient {
 public:
  static constexpr char kName[] = "depthwise3x3_input";
  using Gradient::Gradient;
  std::size_t rows() const { return window_.in_h; }
  std::size_t band() const { return Gradient::band(rows()); }
  void run(std::size_t begin, std::size_t end) {
    kernels_.depthwise3x3_input({.window = window_,
                                 .channels = channels_,
                                 .row_begin = begin,
                                 .row_end = end,
                                 .dy = dy_.data(),
                                 .w = w_.data(),
                                 .dx = x_.data()});
  }
  const Tensor& result() const { return x_; }
};

class WeightGradient : public Gradient {
 public:
  static constexpr char kName[] = "depthwise3x3_weight";
  using Gradient::Gradient;
  std::size_t rows() const { return window_.out_h; }
  std::size_t band() const { return Gradient::band(rows()); }
  void run(std::size_t begin, std::size_t end) {
    kernels_.depthwise3x3_weight({.window = window_,
                                  .channels = channels_,
                                  .row_begin = begin,
                                  .row_end = end,
                                  .x = x_.data(),
                                  .dy = dy_.data(),
                                  .dw = w_.data()});
  }
  const Tensor& result() const { return w_; }
};

template <class Case>
void run_image(Case& gradient) {
  for (std::size_t row = 0; row < gradient.rows(); row += gradient.band()) {
    gradient.run(row, std::min(row + gradient.band(), gradient.rows()));
  }
}

template <class Case>
bool matches_reference(const LayerInfo& layer, const KernelTable& table) {
  Case ours(layer, table);
  Case reference(layer, *kernels::find_kernels("reference"));
  run_image(ours);
  run_image(reference);
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < reference.result().size(); ++i) {
    const double want = static_cast<double>(reference.result().values()[i]);
    const double got = static_cast<double>(ours.result().values()[i]);
    largest = std::max(largest, std::abs(want));
    difference = std::max(difference, std::abs(want - got));
  }
  return difference <= 1e-5 * largest;
}

enum class Part { image, band };

template <class Case>
void run(benchmark::State& state, const LayerInfo& layer, const KernelTable& table, double peak,
         Part part) {
  if (!matches_reference<Case>(layer, table)) {
    state.SkipWithError("differs from the reference kernel");
    return;
  }
  Case gradient(layer, table);
  // From the middle of the image, where no row of padding counts.
  const std::size_t rows = gradient.band();
  const std::size_t begin = (gradient.rows() - rows) / 4 * 2;
  for (auto _ : state) {
    if (part == Part::image) {
      run_image(gradient);
    } else {
      gradient.run(begin, begin + rows);
    }
    benchmark::ClobberMemory();
  }
  const double share =
      part == Part::image ? 1.0 : static_cast<double>(rows) / static_cast<double>(gradient.rows());
  describe(state, gradient.operations() * share, gradient.bytes() * share, peak);
}

template <class Case>
void add(const LayerInfo& layer, const KernelTable& table, double peak) {
  static std::set<std::string> seen;
  const std::string kernel = text(table.isa, '/', Case::kName, '/');
  const std::string shape = text(layer.input[1], 'x', layer.input[3], 's', layer.options.stride.h);
  if (!seen.insert(kernel + shape).second) {
    return;
  }
  const Case gradient(layer, table);
  for (const Part part : {Part::image, Part::band}) {
    if (part == Part::band && gradient.band() == gradient.rows()) {
      continue;
    }
    benchmark::RegisterBenchmark(
        text(kernel, layer.name, '/', shape, part == Part::image ? "/image" : "/band").c_str(),
        run<Case>, layer, table, peak, part)
        ->MinTime(0.01)
        ->Repetitions(9);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const models::MobileNetV2 net;
  for (const KernelTable* table : kernels::available_kernels()) {
    const double peak = fma_peak(table->isa);
    for (const std::size_t size : {224u, 32u}) {
      for (const LayerInfo& layer : net.layers({1, size, size, 3})) {
        if (layer.kind == LayerInfo::Kind::depthwise) {
          add<InputGradient>(layer, *table, peak);
          add<WeightGradient>(layer, *table, peak);
        }
      }
    }
  }
  return run_all(argc, argv);
}

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "benchmarks/kernel_cases.h"
#include "benchmarks/peak.h"
#include "benchmarks/reporter.h"
#include "kernels/dispatch.h"
#include "models/mobilenet_v2.h"

// The gradients of products and what training adds to batch norm, on the layers of MobileNetV2 at
// 224 pixels, for every instruction set of this CPU, one thread. "chunk" takes so many pixels that
// they lie in L2, again and again; "image" takes all chunks of an image. Each result is compared
// with the reference kernel's before it is timed.
namespace {

using namespace lamina;
using namespace lamina::benchmarks;
using kernels::KernelTable;
using models::LayerInfo;

constexpr std::size_t kChunkBytes = 200'000;
constexpr std::size_t kMostRows = 392;

std::size_t pixels(const LayerInfo& layer) {
  return layer.output.size() / layer.output[layer.output.rank() - 1];
}

// The weights' gradient of a 1x1 convolution, dy as A and x as B.
class GemmTnCase {
 public:
  static constexpr char kName[] = "gemm_tn";
  GemmTnCase(const LayerInfo& layer, const KernelTable& table)
      : gradients_(table.gradients),
        rows_(pixels(layer)),
        in_(layer.input[layer.input.rank() - 1]),
        out_(layer.output[layer.output.rank() - 1]),
        x_(random_tensor({rows_, in_})),
        dy_(random_tensor({rows_, out_})),
        dw_(Tensor::zeros({out_, in_})) {}
  std::size_t rows() const { return rows_; }
  std::size_t chunk() const { return std::min(rows_, kMostRows); }
  void run(std::size_t begin, std::size_t end) {
    gradients_.gemm_tn({.m = out_,
                        .n = in_,
                        .k = end - begin,
                        .a = dy_.data() + begin * out_,
                        .lda = out_,
                        .b = x_.data() + begin * in_,
                        .ldb = in_,
                        .c = dw_.data(),
                        .ldc = in_});
  }
  std::string shape() const { return text(rows_, 'x', in_, 'x', out_); }
  double operations() const { return 2.0 * static_cast<double>(rows_ * in_ * out_); }
  double bytes() const { return bytes_of({&x_, &dy_, &dw_}); }
  std::vector<double> result() const { return {dw_.values().begin(), dw_.values().end()}; }

 private:
  const kernels::GradientKernels& gradients_;
  std::size_t rows_, in_, out_;
  Tensor x_, dy_, dw_;
};

// What all passes of batch norm work on: a layer's output. dy has a row more, and so other values.
class NormCase {
 public:
  NormCase(const LayerInfo& layer, const KernelTable& table)
      : table_(table),
        rows_(pixels(layer)),
        channels_(layer.output[layer.output.rank() - 1]),
        x_(random_tensor({rows_, channels_})),
        dy_(random_tensor({rows_ + 1, channels_})),
        y_(Tensor::zeros({rows_, channels_})),
        scale_(random_tensor({channels_})),
        first_(channels_),
        second_(channels_) {}
  std::size_t rows() const { return rows_; }
  std::size_t chunk() const {
    return std::min({rows_, kMostRows, kChunkBytes / (channels_ * sizeof(float))});
  }
  std::string shape() const { return text(rows_, 'x', channels_); }
  double operations() const { return 0.0; }

 protected:
  std::vector<double> sums() const {
    std::vector<double> both = first_;
    both.insert(both.end(), second_.begin(), second_.end());
    return both;
  }

  const KernelTable& table_;
  std::size_t rows_, channels_;
  Tensor x_, dy_, y_, scale_;
  std::vector<double> first_, second_;
};

class MomentsCase : public NormCase {
 public:
  static constexpr char kName[] = "moments";
  using NormCase::NormCase;
  void run(std::size_t begin, std::size_t end) {
    table_.gradients.moments({.rows = end - begin,
                              .channels = channels_,
                              .x = x_.data() + begin * channels_,
                              .ldx = channels_,
                              .shift = scale_.data(),
                              .sums = first_.data(),
                              .squares = second_.data()});
  }
  double bytes() const { return bytes_of({&x_}); }
  std::vector<double> result() const { return sums(); }
};

class NormSumsCase : public NormCase {
 public:
  static constexpr char kName[] = "norm_sums";
  using NormCase::NormCase;
  void run(std::size_t begin, std::size_t end) {
    table_.gradients.norm_sums({.rows = end - begin,
                                .channels = channels_,
                                .x = x_.data() + begin * channels_,
                                .dy = dy_.data() + begin * channels_,
                                .scale = scale_.data(),
                                .shift = scale_.data(),
                                .mean = scale_.data(),
                                .lo = 0.0f,
                                .hi = 6.0f,
                                .sum_dy = first_.data(),
                                .sum_dy_x = second_.data()});
  }
  double bytes() const { return 2.0 * bytes_of({&x_}); }
  std::vector<double> result() const { return sums(); }
};

class NormInputCase : public NormCase {
 public:
  static constexpr char kName[] = "norm_input";
  using NormCase::NormCase;
  void run(std::size_t begin, std::size_t end) {
    table_.gradients.norm_input({.rows = end - begin,
                                 .channels = channels_,
                                 .x = x_.data() + begin * channels_,
                                 .dy = dy_.data() + begin * channels_,
                                 .scale = scale_.data(),
                                 .shift = scale_.data(),
                                 .mean = scale_.data(),
                                 .lo = 0.0f,
                                 .hi = 6.0f,
                                 .a = scale_.data(),
                                 .b = scale_.data(),
                                 .d = scale_.data(),
                                 .dx = y_.data() + begin * channels_});
  }
  double bytes() const { return 3.0 * bytes_of({&x_}); }
  std::vector<double> result() const { return {y_.values().begin(), y_.values().end()}; }
};

class ClampGradientCase : public NormCase {
 public:
  static constexpr char kName[] = "clamp_gradient";
  using NormCase::NormCase;
  void run(std::size_t begin, std::size_t end) {
    table_.gradients.clamp({.count = (end - begin) * channels_,
                            .x = x_.data() + begin * channels_,
                            .dy = dy_.data() + begin * channels_,
                            .dx = y_.data() + begin * channels_,
                            .lo = 0.0f,
                            .hi = 6.0f});
  }
  double bytes() const { return 3.0 * bytes_of({&x_}); }
  std::vector<double> result() const { return {y_.values().begin(), y_.values().end()}; }
};

// A convolution's gradient from columns to pixels, in parts of so many output pixels.
class Col2imCase {
 public:
  static constexpr char kName[] = "col2im";
  Col2imCase(const LayerInfo& layer, const KernelTable& table)
      : gradients_(table.gradients),
        window_(window_of(layer)),
        channels_(layer.input[3]),
        width_(window_.kernel_h * window_.kernel_w * channels_),
        columns_(random_tensor({pixels(layer), width_})),
        x_(Tensor::zeros(layer.input)) {}
  std::size_t rows() const { return columns_.shape()[0]; }
  std::size_t chunk() const { return std::min(rows(), kMostRows); }
  void run(std::size_t begin, std::size_t end) {
    gradients_.col2im({.window = window_,
                       .channels = channels_,
                       .pixel_begin = begin,
                       .pixel_end = end,
                       .columns = columns_.data() + begin * width_,
                       .x = x_.data(),
                       .ldx = channels_});
  }
  std::string shape() const { return text(window_.in_h, 'x', window_.in_w, 'x', channels_); }
  double operations() const { return 0.0; }
  double bytes() const { return bytes_of({&columns_, &x_}); }
  std::vector<double> result() const { return {x_.values().begin(), x_.values().end()}; }

 private:
  const kernels::GradientKernels& gradients_;
  kernels::Window window_;
  std::size_t channels_, width_;
  Tensor columns_, x_;
};

template <class Case>
void run_image(Case& kernel) {
  for (std::size_t row = 0; row < kernel.rows(); row += kernel.chunk()) {
    kernel.run(row, std::min(row + kernel.chunk(), kernel.rows()));
  }
}

template <class Case>
bool matches_reference(const LayerInfo& layer, const KernelTable& table) {
  Case ours(layer, table);
  Case reference(layer, *kernels::find_kernels("reference"));
  run_image(ours);
  run_image(reference);
  const std::vector<double> got = ours.result();
  const std::vector<double> want = reference.result();
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::abs(want[i]));
    difference = std::max(difference, std::abs(want[i] - got[i]));
  }
  return difference <= 1e-4 * largest;
}

enum class Part { image, chunk };

template <class Case>
void run(benchmark::State& state, const LayerInfo& layer, const KernelTable& table, double peak,
         Part part) {
  if (!matches_reference<Case>(layer, table)) {
    state.SkipWithError("differs from the reference kernel");
    return;
  }
  Case kernel(layer, table);
  const std::size_t rows = kernel.chunk();
  for (auto _ : state) {
    if (part == Part::image) {
      run_image(kernel);
    } else {
      kernel.run(0, rows);
    }
    benchmark::ClobberMemory();
  }
  const double share =
      part == Part::image ? 1.0 : static_cast<double>(rows) / static_cast<double>(kernel.rows());
  describe(state, kernel.operations() * share, kernel.bytes() * share, peak);
}

template <class Case>
void add(const LayerInfo& layer, const KernelTable& table, double peak) {
  static std::set<std::string> seen;
  const Case kernel(layer, table);
  const std::string name = text(table.isa, '/', Case::kName, '/');
  if (!seen.insert(name + kernel.shape()).second) {
    return;
  }
  for (const Part part : {Part::chunk, Part::image}) {
    if (part == Part::image && kernel.chunk() == kernel.rows()) {
      continue;
    }
    benchmark::RegisterBenchmark(
        text(name, layer.name, '/', kernel.shape(), part == Part::image ? "/image" : "/chunk")
            .c_str(),
        run<Case>, layer, table, peak, part)
        ->MinTime(0.01)
        ->Repetitions(9);
  }
}

void add_layer(const LayerInfo& layer, const KernelTable& table, double peak) {
  using Kind = LayerInfo::Kind;
  if (layer.kind == Kind::pointwise || layer.kind == Kind::linear) {
    add<GemmTnCase>(layer, table, peak);
  }
  if (layer.kind == Kind::convolution) {
    add<Col2imCase>(layer, table, peak);
  }
  if (layer.kind != Kind::linear && layer.kind != Kind::pool && layer.kind != Kind::add) {
    add<MomentsCase>(layer, table, peak);
    add<NormSumsCase>(layer, table, peak);
    add<NormInputCase>(layer, table, peak);
    add<ClampGradientCase>(layer, table, peak);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const models::MobileNetV2 net;
  for (const KernelTable* table : kernels::available_kernels()) {
    const double peak = fma_peak(table->isa);
    for (const LayerInfo& layer : net.layers({1, 224, 224, 3})) {
      add_layer(layer, *table, peak);
    }
  }
  return run_all(argc, argv);
}

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

// Every kernel of every instruction set of this CPU on MobileNetV2's own layers, one thread. The
// names read "avx512/gemm/features.4.conv.0.0/3136x24x144". Each result is compared with the
// reference kernel's before it is timed.
namespace {

using namespace lamina;
using namespace lamina::benchmarks;
using kernels::KernelTable;
using models::LayerInfo;

template <class Case>
bool matches_reference(const Case& ours, const LayerInfo& layer) {
  Case reference(layer, *kernels::find_kernels("reference"));
  reference.run();
  double largest = 0.0;
  double difference = 0.0;
  for (std::size_t i = 0; i < reference.result().size(); ++i) {
    const double want = static_cast<double>(reference.result()[i]);
    const double got = static_cast<double>(ours.result()[i]);
    largest = std::max(largest, std::abs(want));
    difference = std::max(difference, std::abs(want - got));
  }
  return difference <= 1e-4 * largest;
}

template <class Case>
void run(benchmark::State& state, const LayerInfo& layer, const KernelTable& table, double peak) {
  Case kernel(layer, table);
  kernel.run();
  if (!matches_reference(kernel, layer)) {
    state.SkipWithError("differs from the reference kernel");
    return;
  }
  for (auto _ : state) {
    kernel.run();
    benchmark::ClobberMemory();
  }
  describe(state, kernel.operations(), kernel.bytes(), peak);
}

class Registry {
 public:
  Registry(const KernelTable& table, double peak) : table_(table), peak_(peak) {}

  // Layers of one shape are measured once, under the first one's name.
  template <class Case>
  void add(const char* kernel, const LayerInfo& layer) {
    const std::string name = text(table_.isa, '/', kernel, '/');
    const std::string shape = Case::shape(layer);
    if (!seen_.insert(name + shape).second) {
      return;
    }
    benchmark::RegisterBenchmark(text(name, layer.name, '/', shape).c_str(), run<Case>, layer,
                                 table_, peak_)
        ->MinTime(0.01)
        ->Repetitions(9);
  }

 private:
  const KernelTable& table_;
  double peak_;
  std::set<std::string> seen_;
};

void add_layer(Registry& registry, const LayerInfo& layer) {
  using Kind = LayerInfo::Kind;
  switch (layer.kind) {
    case Kind::convolution:
      registry.add<Im2colCase>("im2col", layer);
      registry.add<ImageConvolutionCase>("im2col+gemm", layer);
      break;
    case Kind::pointwise:
    case Kind::linear:
      registry.add<GemmCase>("gemm", layer);
      registry.add<PackCase>("pack", layer);
      break;
    case Kind::depthwise:
      registry.add<Depthwise3x3Case>("depthwise3x3", layer);
      registry.add<DepthwiseCase>("depthwise", layer);
      break;
    case Kind::add:
      registry.add<AddCase>("add", layer);
      break;
    case Kind::pool:
      registry.add<MeanCase>("mean_rows", layer);
      break;
  }
  if (layer.options.bounds.hi == nn::kRelu6Bounds.hi) {
    registry.add<ClampCase>("clamp", layer);
    registry.add<ScaleShiftCase>("scale_shift", layer);
  }
  if (layer.kind == Kind::linear) {
    registry.add<SoftmaxCase>("softmax", layer);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const models::MobileNetV2 net;
  for (const KernelTable* table : kernels::available_kernels()) {
    Registry registry(*table, fma_peak(table->isa));
    for (const LayerInfo& layer : net.layers({1, 224, 224, 3})) {
      add_layer(registry, layer);
    }
  }
  return run_all(argc, argv);
}

#include <benchmark/benchmark.h>
#include <string>
#include <vector>

#include "benchmarks/peak.h"
#include "benchmarks/random_weights.h"
#include "benchmarks/reporter.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/mobilenet_v2.h"
#include "nn/isa.h"
#include "nn/plan.h"

// MobileNetV2 1.0 at 224 x 224, batch norm folded, random weights: the whole forward pass by
// instruction set, batch and threads, compiled and eager. "% peak" is the share of all threads'
// multiply-add peak.
namespace {

using namespace lamina;

enum class Mode { plan, eager };

struct Setting {
  Mode mode;
  std::string isa;
  std::size_t batch, threads;
  double peak;
};

void forward(benchmark::State& state, models::MobileNetV2& net, const Setting& setting) {
  nn::set_isa(setting.isa);
  set_thread_count(setting.threads);
  const Tensor x = Tensor::full({setting.batch, 224, 224, 3}, 0.5f);
  if (setting.mode == Mode::eager) {
    benchmark::DoNotOptimize(net(x));
    for (auto _ : state) {
      benchmark::DoNotOptimize(net(x));
    }
  } else {
    const nn::Plan plan = nn::compile(nn::trace(net, x.shape()));
    nn::Workspace workspace = plan.workspace(setting.threads);
    Tensor y = plan(x);
    for (auto _ : state) {
      plan.run(x.values(), y.values(), workspace);
    }
  }
  double operations = 0.0;
  for (const models::LayerInfo& layer : net.layers(x.shape())) {
    operations += 2.0 * static_cast<double>(layer.multiply_adds);
  }
  const double threads = static_cast<double>(setting.threads);
  benchmarks::describe(state, operations, 0.0, setting.peak * threads);
}

void add(models::MobileNetV2& net, const Setting& setting) {
  const char* mode = setting.mode == Mode::plan ? "plan/" : "eager/";
  const std::string name =
      text(mode, setting.isa, "/batch:", setting.batch, "/threads:", setting.threads);
  benchmark::RegisterBenchmark(name.c_str(),
                               [&net, setting](auto& state) { forward(state, net, setting); })
      ->UseRealTime()
      ->MinTime(0.1)
      ->Repetitions(9);
}

}  // namespace

int main(int argc, char** argv) {
  models::MobileNetV2 net;
  benchmarks::randomize(net);
  for (const std::string& isa : nn::available_isas()) {
    if (isa == "reference") {
      continue;  // seconds per image, and no aim
    }
    const double peak = benchmarks::fma_peak(isa);
    for (const std::size_t batch : {1u, 8u, 32u}) {
      for (std::size_t threads = 1; threads <= usable_cpus(); threads *= 2) {
        add(net, {Mode::plan, isa, batch, threads, peak});
        add(net, {Mode::eager, isa, batch, threads, peak});
      }
    }
  }
  return benchmarks::run_all(argc, argv);
}

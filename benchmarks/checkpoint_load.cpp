#include <benchmark/benchmark.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <string>
#include <unistd.h>

#include "core/memory.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/torch/writer.h"
#include "models/load.h"

// From a file in the system's cache to float32 tensors: MobileNetV2 1.0 with batch norm, 14 MB. The
// tensors' memory is fresh each time, as in a program that starts. "peak MB" is what the process
// grew by at most, "MB" the file and the weights together.
namespace {

using namespace lamina;
namespace fs = std::filesystem;

// The line of /proc/self/status, in MB.
double resident(const std::string& line) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == line) {
      double kilobytes = 0.0;
      status >> kilobytes;
      return kilobytes / 1024.0;
    }
  }
  return 0.0;
}

void load(benchmark::State& state, const fs::path& path) {
  double weights = 0.0, peak = 0.0;
  for (auto _ : state) {
    state.PauseTiming();
    release_idle_memory();
    malloc_trim(0);
    std::ofstream("/proc/self/clear_refs") << 5;  // forgets the peak so far
    const double before = resident("VmRSS:");
    state.ResumeTiming();
    models::Checkpoint checkpoint = models::read_checkpoint(path);
    benchmark::DoNotOptimize(checkpoint);
    state.PauseTiming();
    peak = std::max(peak, resident("VmHWM:") - before);
    weights = 0.0;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      weights += static_cast<double>(tensor.size() * sizeof(float));
    }
    checkpoint = {};
    state.ResumeTiming();
  }
  state.counters["peak MB"] = peak;
  state.counters["MB"] = (weights + static_cast<double>(fs::file_size(path))) / (1 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path folder =
      fs::temp_directory_path() / ("lamina-checkpoint-load-" + std::to_string(::getpid()));
  fs::create_directory(folder);
  models::MobileNetV2 net({.classes = 1000});
  const models::Checkpoint checkpoint = models::to_checkpoint(net);
  models::write_torch(folder / "net.pth", checkpoint);
  models::write_safetensors(folder / "net.safetensors", checkpoint);
  for (const char* name : {"net.pth", "net.safetensors"}) {
    benchmark::RegisterBenchmark(
        name, [path = folder / name](benchmark::State& state) { load(state, path); })
        ->Unit(benchmark::kMillisecond)
        ->UseRealTime();
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  fs::remove_all(folder);
  return 0;
}

#include "benchmarks/reporter.h"

#include <algorithm>
#include <cstdio>
#include <string>

#include "benchmarks/cpu_name.h"

namespace lamina::benchmarks {
namespace {

constexpr char kOperations[] = "operations";
constexpr char kBytes[] = "bytes";
constexpr char kPeak[] = "peak";

double counter(const benchmark::BenchmarkReporter::Run& run, const char* name) {
  const auto found = run.counters.find(name);
  return found == run.counters.end() ? 0.0 : found->second.value;
}

void print_figure(double value, const char* format, int width) {
  if (value > 0.0) {
    std::printf(format, width, value);
  } else {
    std::printf("%*s", width, "-");
  }
}

}  // namespace

void describe(benchmark::State& state, double operations, double bytes, double peak) {
  state.counters[kOperations] = operations;
  state.counters[kBytes] = bytes;
  state.counters[kPeak] = peak;
}

bool Reporter::ReportContext(const Context&) {
  std::printf("%s\n%-58s %12s %12s %9s %8s %7s\n", cpu_name().c_str(), "benchmark", "minimum us",
              "median us", "GFLOP/s", "GB/s", "% peak");
  return true;
}

void Reporter::ReportRuns(const std::vector<Run>& runs) {
  std::vector<double> times;
  for (const Run& run : runs) {
    if (run.error_occurred) {
      std::printf("%-58s %s\n", run.run_name.str().c_str(), run.error_message.c_str());
      return;
    }
    if (run.run_type == Run::RT_Iteration && run.iterations > 0) {
      const bool clock = !run.run_name.time_type.empty();
      const double total = clock ? run.real_accumulated_time : run.cpu_accumulated_time;
      times.push_back(total / static_cast<double>(run.iterations));
    }
  }
  if (times.empty()) {
    return;
  }
  std::ranges::sort(times);
  const Run& run = runs.front();
  const double best = times.front();
  const double operations = counter(run, kOperations);
  const double peak = counter(run, kPeak);
  std::printf("%-58s %12.2f %12.2f", run.run_name.function_name.c_str(), best * 1e6,
              times[times.size() / 2] * 1e6);
  print_figure(operations / best * 1e-9, "%*.1f", 10);
  print_figure(counter(run, kBytes) / best * 1e-9, "%*.1f", 9);
  print_figure(peak > 0.0 ? 100.0 * operations / best / peak : 0.0, "%*.1f", 8);
  std::printf("\n");
  std::fflush(stdout);
}

int run_all(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  Reporter reporter;
  const bool ran = benchmark::RunSpecifiedBenchmarks(&reporter) > 0;
  benchmark::Shutdown();
  return ran ? 0 : 1;
}

}  // namespace lamina::benchmarks

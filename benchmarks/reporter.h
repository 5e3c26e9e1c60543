#pragma once

#include <benchmark/benchmark.h>
#include <vector>

namespace lamina::benchmarks {

/// What a benchmark tells the reporter of one run, as counters of the state: operations, bytes it
/// must move at least, and the machine's limit in operations a second (0: none known).
void describe(benchmark::State& state, double operations, double bytes, double peak);

/// Prints a line a benchmark: the minimum and the median over its repetitions, and at the minimum
/// GFLOP/s, GB/s and the share of the peak. One thread counts its CPU time; `UseRealTime` the
/// clock.
class Reporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;
};

/// Runs every registered benchmark that the command line picks; the program's exit code.
int run_all(int argc, char** argv);

}  // namespace lamina::benchmarks

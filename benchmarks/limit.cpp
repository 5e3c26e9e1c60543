#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "benchmarks/cpu_name.h"
#include "benchmarks/layer_groups.h"
#include "benchmarks/peak.h"
#include "benchmarks/random_weights.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/isa.h"
#include "nn/plan.h"

// What this machine can do at most, the time MobileNetV2 1.0 would take at that limit, and the
// share of it that compiled inference reaches now.
namespace {

using namespace lamina;

constexpr double kGiga = 1e9;

/// Of one core and of all of them.
struct Pair {
  double one, all;
};

struct Limits {
  struct Peak {
    std::string isa;
    Pair fma;  ///< operations a second
  };
  std::vector<Peak> peaks;  ///< the best instruction set first
  Pair l3;                  ///< bytes a second
};

std::vector<std::string> vector_isas() {
  std::vector<std::string> isas = nn::available_isas();
  std::erase(isas, "reference");
  return isas;
}

Pair print_bandwidth(const std::string& isa, const char* name, std::size_t bytes) {
  const Pair rate{benchmarks::read_bandwidth(isa, bytes, 1),
                  benchmarks::read_bandwidth(isa, bytes, usable_cpus())};
  const std::string label = text("read ", name, ", ", bytes / 1024, " KB a core, GB/s");
  std::printf("%-34s %9.0f %9.0f\n", label.c_str(), rate.one / kGiga, rate.all / kGiga);
  std::fflush(stdout);
  return rate;
}

Limits measure_limits() {
  const std::size_t cores = usable_cpus();
  std::printf("%s\n%-34s %9s %9s\n", benchmarks::cpu_name().c_str(), "limit", "1 core",
              text(cores, " cores").c_str());
  Limits limits{};
  for (const std::string& isa : vector_isas()) {
    const Pair peak{benchmarks::fma_peak(isa, 1), benchmarks::fma_peak(isa, cores)};
    limits.peaks.push_back({isa, peak});
    std::printf("%-34s %9.0f %9.0f\n", ("multiply-add " + isa + ", GFLOP/s").c_str(),
                peak.one / kGiga, peak.all / kGiga);
  }
  const std::string best = vector_isas().front();
  const benchmarks::ReadSizes sizes = benchmarks::read_sizes();
  print_bandwidth(best, "L1", sizes.l1);
  print_bandwidth(best, "L2", sizes.l2);
  limits.l3 = print_bandwidth(best, "L3", sizes.l3);
  print_bandwidth(best, "DRAM", sizes.dram / cores);
  return limits;
}

void print_ideal(const std::vector<benchmarks::LayerGroup>& groups, const Limits& limits) {
  std::printf("\nMobileNetV2 1.0, 224 x 224: ideal milliseconds, 1 core\n%-12s %10s %10s", "layers",
              "MFLOP", "weights KB");
  for (const auto& [isa, fma] : limits.peaks) {
    std::printf(" %8s", isa.c_str());
  }
  for (const benchmarks::LayerGroup& group : groups) {
    std::printf("\n%-12s %10.1f %10.1f", group.name.c_str(), group.operations / 1e6,
                group.weight_bytes / 1024);
    for (const auto& [isa, fma] : limits.peaks) {
      std::printf(" %8.3f", 1e3 * benchmarks::ideal_seconds(group, fma.one, limits.l3.one));
    }
  }
  std::printf("\n%-12s %10s %10s", "all", "", "");
  for (const auto& [isa, fma] : limits.peaks) {
    std::printf(" %8.3f", 1e3 * benchmarks::ideal_seconds(groups, fma.one, limits.l3.one));
  }
  std::printf("\n");
}

std::vector<double> run_times(const nn::Graph& graph, std::size_t threads) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  set_thread_count(threads);
  const nn::Plan plan = nn::compile(graph);
  const Tensor x = Tensor::full(plan.input_shape(), 0.5f);
  Tensor y = plan(x);
  nn::Workspace workspace = plan.workspace(threads);
  std::vector<double> times;
  const auto begin = Clock::now();
  while (Seconds(Clock::now() - begin).count() < 1.5 || times.size() < 10) {
    const auto start = Clock::now();
    plan.run(x.values(), y.values(), workspace);
    times.push_back(Seconds(Clock::now() - start).count());
  }
  std::ranges::sort(times);
  return times;
}

void print_measured(const Limits& limits) {
  std::printf("\nmeasured, milliseconds\n%-8s %7s %5s %9s %9s %9s %15s\n", "set", "threads",
              "batch", "ideal", "minimum", "median", "ideal / minimum");
  models::MobileNetV2 net;
  benchmarks::randomize(net);
  for (const auto& [isa, fma] : limits.peaks) {
    nn::set_isa(isa);
    for (const std::size_t batch : {1u, 32u}) {
      const nn::Graph graph = nn::trace(net, {batch, 224, 224, 3});
      const std::vector<benchmarks::LayerGroup> groups = benchmarks::layer_groups(graph);
      for (const std::size_t threads : {std::size_t{1}, usable_cpus()}) {
        const bool alone = threads == 1;
        const double ideal =
            ideal_seconds(groups, alone ? fma.one : fma.all, alone ? limits.l3.one : limits.l3.all);
        const std::vector<double> times = run_times(graph, threads);
        std::printf("%-8s %7zu %5zu %9.3f %9.3f %9.3f %13.1f %%\n", isa.c_str(), threads, batch,
                    1e3 * ideal, 1e3 * times.front(), 1e3 * times[times.size() / 2],
                    100.0 * ideal / times.front());
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace

int main() {
  try {
    const Limits limits = measure_limits();
    models::MobileNetV2 net;
    nn::fold_batch_norm(net);
    print_ideal(benchmarks::layer_groups(nn::trace(net, {1, 224, 224, 3})), limits);
    print_measured(limits);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "limit: %s\n", error.what());
    return 1;
  }
}

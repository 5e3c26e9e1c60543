#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <string>
#include <vector>

#include "benchmarks/cpu_name.h"
#include "benchmarks/layer_groups.h"
#include "benchmarks/peak.h"
#include "benchmarks/random_weights.h"
#include "core/parallel.h"
#include "nn/isa.h"
#include "nn/plan.h"

// Where the time of compiled MobileNetV2 1.0 goes, block by block, beside the time that its
// multiply-adds take at the machine's peak. A block's time is that of the network up to its end
// less that of the network up to its begin, the two run one after the other: the median of many
// such pairs. So a block finds the caches as the blocks before it leave them. usage: blocks
// [THREADS [ROUNDS]]
namespace {

using namespace lamina;

/// The network up to a node, ready to run.
class Prefix {
 public:
  Prefix(const nn::Graph& graph, std::size_t last, std::size_t threads)
      : plan_(nn::compile(cut(graph, last))),
        workspace_(plan_.workspace(threads)),
        x_(Tensor::full(plan_.input_shape(), 0.5f)),
        y_(Tensor::on_large_pages(plan_.output_shape())) {}

  // The better of two runs, after one that brings its weights back into the caches.
  double seconds() {
    using Clock = std::chrono::steady_clock;
    plan_.run(x_.values(), y_.values(), workspace_);
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 2; ++i) {
      const auto start = Clock::now();
      plan_.run(x_.values(), y_.values(), workspace_);
      best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    }
    return best;
  }

 private:
  static nn::Graph cut(const nn::Graph& graph, std::size_t last) {
    nn::Graph result = graph;
    result.nodes.resize(last + 1);
    result.output = last;
    return result;
  }

  nn::Plan plan_;
  nn::Workspace workspace_;
  Tensor x_, y_;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// The seconds of each block.
std::vector<double> measure(std::vector<Prefix>& prefixes, int rounds) {
  std::vector<std::vector<double>> differences(prefixes.size());
  for (int i = 0; i < rounds; ++i) {
    double before = 0.0;
    for (std::size_t k = 0; k < prefixes.size(); ++k) {
      const double until = prefixes[k].seconds();
      differences[k].push_back(until - before);
      before = until;
    }
  }
  std::vector<double> result;
  for (const std::vector<double>& values : differences) {
    result.push_back(median(values));
  }
  return result;
}

void print_row(const std::string& name, double ideal, double measured) {
  std::printf("%-12s %10.1f %10.1f %7.1f %% %10.1f\n", name.c_str(), 1e6 * ideal, 1e6 * measured,
              100.0 * ideal / measured, 1e6 * (measured - ideal));
}

void print_blocks(std::size_t threads, int rounds) {
  const std::string isa = nn::isa();
  const double fma = benchmarks::fma_peak(isa, threads);
  const double l3 = benchmarks::read_bandwidth(isa, benchmarks::read_sizes().l3, threads);
  models::MobileNetV2 net;
  benchmarks::randomize(net);
  const nn::Graph graph = nn::trace(net, {1, 224, 224, 3});
  const std::vector<benchmarks::LayerGroup> groups = benchmarks::blocks(graph);
  set_thread_count(threads);
  std::vector<Prefix> prefixes;
  for (const benchmarks::LayerGroup& group : groups) {
    prefixes.emplace_back(graph, group.last, threads);
  }
  const std::vector<double> seconds = measure(prefixes, rounds);
  std::printf("%s, %s, threads: %zu; microseconds\n%-12s %10s %10s %9s %10s\n",
              benchmarks::cpu_name().c_str(), isa.c_str(), threads, "block", "ideal", "median",
              "share", "lost");
  double total = 0.0;
  for (std::size_t k = 0; k < groups.size(); ++k) {
    print_row(groups[k].name, benchmarks::ideal_seconds(groups[k], fma, l3), seconds[k]);
    total += seconds[k];
  }
  print_row("all", benchmarks::ideal_seconds(groups, fma, l3), total);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    print_blocks(argc > 1 ? std::stoul(argv[1]) : 1, argc > 2 ? std::stoi(argv[2]) : 200);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "blocks: %s\n", error.what());
    return 1;
  }
}

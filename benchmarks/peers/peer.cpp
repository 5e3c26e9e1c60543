#include "benchmarks/peers/peer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

#include "core/denormals.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/layers.h"

namespace lamina::benchmarks {

Tensor read_images(const std::string& path, std::size_t batch) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::size_t pixels = bytes.size() / (batch * 3 * sizeof(float));
  const auto side = static_cast<std::size_t>(std::sqrt(static_cast<double>(pixels)));
  Tensor x = Tensor::uninitialized({batch, side, side, 3});
  check(bytes.size() == x.size() * sizeof(float), path, ": must hold ", batch,
        " square images of 3 floats a pixel: has ", bytes.size(), " bytes");
  std::memcpy(x.data(), bytes.data(), bytes.size());
  return x;
}

void write_values(const std::string& path, std::span<const float> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
  check(static_cast<bool>(file.flush()), path, ": cannot be written");
}

void answer_requests(const std::function<void()>& run) {
  using Clock = std::chrono::steady_clock;
  for (int runs = 0; std::cin >> runs;) {
    for (int i = 0; i < runs; ++i) {
      const auto start = Clock::now();
      run();
      const std::chrono::duration<double, std::milli> elapsed = Clock::now() - start;
      std::printf("%.6f ", elapsed.count());
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

namespace {

Task read_task(char** argv) {
  models::Classifier classifier = models::read_classifier(argv[1]);
  nn::fold_batch_norm(*classifier.net);
  Tensor input = read_images(argv[2], std::stoul(argv[3]));
  nn::Graph graph = nn::trace(*classifier.net, input.shape());
  return {std::move(classifier), std::move(graph), std::move(input), std::stoul(argv[4])};
}

}  // namespace

int serve(int argc, char** argv, const std::string& name, Build build) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: %s WEIGHTS INPUT BATCH THREADS LOGITS\n", argv[0]);
    return 2;
  }
  try {
    // Threads that a library starts from here inherit it.
    const FlushDenormals flush(FlushDenormals::current());
    const Task task = read_task(argv);
    set_thread_count(task.threads);
    Tensor logits = Tensor::zeros(task.graph.nodes[task.graph.output].shape);
    const std::unique_ptr<Runner> runner = build(task, logits.values());
    runner->run();
    write_values(argv[5], std::as_const(logits).values());
    std::printf("ready %s\n", name.c_str());
    std::fflush(stdout);
    answer_requests([&runner] { runner->run(); });
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

}  // namespace lamina::benchmarks

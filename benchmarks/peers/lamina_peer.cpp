#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "core/error.h"
#include "core/parallel.h"
#include "models/load.h"
#include "nn/plan.h"

// One side of the comparison: loads the weights and an input, answers "ready", then for each number
// on standard input runs the network that often and answers with the milliseconds of each run.
// usage: lamina_peer WEIGHTS INPUT BATCH THREADS LOGITS
namespace {

using namespace lamina;

Tensor read_input(const std::string& path, std::size_t batch) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  Tensor x = Tensor::uninitialized({batch, 224, 224, 3});
  check(bytes.size() == x.size() * sizeof(float), path, ": must hold ", x.size() * sizeof(float),
        " bytes, has ", bytes.size());
  std::memcpy(x.data(), bytes.data(), bytes.size());
  return x;
}

void serve(const nn::Plan& plan, const Tensor& x, Tensor& logits) {
  using Clock = std::chrono::steady_clock;
  nn::Workspace workspace = plan.workspace(thread_count());
  std::printf("ready\n");
  std::fflush(stdout);
  for (int runs = 0; std::cin >> runs;) {
    for (int i = 0; i < runs; ++i) {
      const auto start = Clock::now();
      plan.run(x.values(), logits.values(), workspace);
      const std::chrono::duration<double, std::milli> elapsed = Clock::now() - start;
      std::printf("%.6f ", elapsed.count());
    }
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: lamina_peer WEIGHTS INPUT BATCH THREADS LOGITS\n");
    return 2;
  }
  try {
    set_thread_count(std::stoul(argv[4]));
    const models::Classifier classifier = models::read_classifier(argv[1]);
    const Tensor x = read_input(argv[2], std::stoul(argv[3]));
    const nn::Plan plan = nn::compile(nn::trace(*classifier.net, x.shape()));
    Tensor logits = plan(x);
    std::ofstream(argv[5], std::ios::binary)
        .write(reinterpret_cast<const char*>(logits.data()),
               static_cast<std::streamsize>(logits.size() * sizeof(float)));
    serve(plan, x, logits);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lamina_peer: %s\n", error.what());
    return 1;
  }
}

#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "benchmarks/peers/peer.h"
#include "core/denormals.h"
#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "models/load.h"
#include "nn/init.h"
#include "nn/loss.h"
#include "nn/optim.h"

// Lamina's side of train.py: training steps of MobileNetV2 1.0 without dropout on one batch, with
// the protocol of peer.h. Called with WEIGHTS only it writes weights to begin from. Its output is
// the loss of the first steps and then the megabytes that it took up before them.
namespace {

using namespace lamina;

constexpr int kCheckedSteps = 3;
// With a rate so small that rounding differences do not grow before the losses are compared.
constexpr nn::SgdOptions kSgd = {.rate = 1e-4, .momentum = 0.9, .weight_decay = 4e-5};

class Training {
 public:
  Training(const std::string& weights, const Tensor& images, std::vector<std::uint32_t> labels)
      : net_({.dropout = 0.0f}), images_(images), labels_(std::move(labels)) {
    models::load(net_, weights);
    net_.train();
  }

  float step() {
    sgd_.clear_gradients();
    const Tensor loss = nn::cross_entropy(net_(images_), labels_);
    loss.backward();
    sgd_.step();
    return loss.data()[0];
  }

 private:
  models::MobileNetV2 net_;
  nn::Sgd sgd_{nn::parameters(net_), kSgd};
  Tensor images_;
  std::vector<std::uint32_t> labels_;
};

std::vector<std::uint32_t> read_labels(const std::string& path, std::size_t count) {
  std::vector<std::uint32_t> labels(count);
  std::ifstream file(path, std::ios::binary);
  file.read(reinterpret_cast<char*>(labels.data()),
            static_cast<std::streamsize>(count * sizeof(std::uint32_t)));
  check(static_cast<bool>(file), path, ": must hold ", count, " labels");
  return labels;
}

float resident_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    if (word == "VmRSS:") {
      float kilobytes = 0.0f;
      status >> kilobytes;
      return kilobytes / 1000.0f * 1.024f;
    }
  }
  throw Error("/proc/self/status: has no VmRSS");
}

void write_weights(const std::string& path) {
  models::MobileNetV2 net;
  Rng rng(1);
  nn::init_kaiming(net, rng);
  models::save(net, {}, path);
}

void train(char** argv) {
  // Threads that start from here inherit it.
  const FlushDenormals flush(FlushDenormals::current());
  const std::size_t batch = std::stoul(argv[4]);
  set_thread_count(std::stoul(argv[5]));
  Training training(argv[1], benchmarks::read_images(argv[2], batch), read_labels(argv[3], batch));
  const float before = resident_megabytes();
  std::vector<float> output;
  for (int i = 0; i < kCheckedSteps; ++i) {
    output.push_back(training.step());
  }
  output.push_back(before);
  benchmarks::write_values(argv[6], output);
  std::printf("ready Lamina\n");
  std::fflush(stdout);
  benchmarks::answer_requests([&training] { training.step(); });
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 && argc != 7) {
    std::fprintf(stderr, "usage: %s WEIGHTS [INPUT LABELS BATCH THREADS OUTPUT]\n", argv[0]);
    return 2;
  }
  try {
    if (argc == 2) {
      write_weights(argv[1]);
    } else {
      train(argv);
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

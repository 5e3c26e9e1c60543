#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "benchmarks/cpu_name.h"
#include "benchmarks/kernel_cases.h"
#include "benchmarks/peak.h"
#include "benchmarks/training_layers.h"
#include "core/denormals.h"
#include "core/parallel.h"
#include "core/random.h"
#include "nn/init.h"
#include "nn/isa.h"
#include "nn/loss.h"
#include "nn/optim.h"

// Where the time of a training step of MobileNetV2 1.0 goes, beside this machine's multiply-add
// peak: first the step's parts, then each layer by itself, again and again on arrays of its own,
// with what each kind of its kernels takes. "rest" of a layer is what is no kernel: adding up the
// tasks' sums, waiting for the other thread. usage: training [BATCH [SIZE [THREADS [ROUNDS]]]]
namespace {

using namespace lamina;
using namespace lamina::benchmarks;

struct Setting {
  std::size_t batch = 32, size = 224, threads = 1;
  int rounds = 10;
};

enum Part : std::size_t { kForward, kBackward, kUpdate, kStep, kParts };
constexpr std::array<const char*, kParts> kPartNames = {"forward, loss", "backward", "optimizer",
                                                        "step"};
using StepTimes = std::array<std::vector<double>, kParts>;

StepTimes time_steps(models::MobileNetV2& net, const Setting& setting) {
  using Clock = std::chrono::steady_clock;
  nn::Sgd sgd(nn::parameters(net), {.rate = 1e-4, .momentum = 0.9, .weight_decay = 4e-5});
  const Tensor images = random_tensor({setting.batch, setting.size, setting.size, 3});
  const std::vector<std::uint32_t> labels(setting.batch, 7);
  StepTimes times;
  for (int i = -2; i < setting.rounds; ++i) {  // the first two find no memory kept for them
    sgd.clear_gradients();
    std::array<Clock::time_point, kParts> at;
    at[0] = Clock::now();
    const Tensor loss = nn::cross_entropy(net(images), labels);
    at[1] = Clock::now();
    loss.backward();
    at[2] = Clock::now();
    sgd.step();
    at[3] = Clock::now();
    for (std::size_t part = 0; i >= 0 && part < kParts; ++part) {
      const auto elapsed = part == kStep ? at[kStep] - at[0] : at[part + 1] - at[part];
      times[part].push_back(std::chrono::duration<double>(elapsed).count());
    }
  }
  for (std::vector<double>& values : times) {
    std::ranges::sort(values);
  }
  return times;
}

// Of each part, two a multiply-add: backward makes two gradients of each layer, of the first one.
std::array<double, kParts> step_operations(const models::MobileNetV2& net, const Setting& setting) {
  double all = 0.0;
  for (const LayerInfo& layer : net.layers({setting.batch, setting.size, setting.size, 3})) {
    all += 2.0 * static_cast<double>(layer.multiply_adds);
  }
  const LayerInfo first = net.layers({setting.batch, setting.size, setting.size, 3}).front();
  const double backward = 2.0 * all - 2.0 * static_cast<double>(first.multiply_adds);
  return {all, backward, 0.0, all + backward};
}

void print_steps(const StepTimes& times, const std::array<double, kParts>& operations,
                 double parameter_bytes, double peak) {
  std::printf("%-14s %10s %10s %10s %8s %8s\n", "part", "minimum", "median", "GFLOP/s", "GB/s",
              "of peak");
  for (std::size_t part = 0; part < kParts; ++part) {
    const double least = times[part].front();
    const double bytes = part == kUpdate ? 5.0 * parameter_bytes : 0.0;  // w, m both ways; dw
    std::printf("%-14s %10.3f %10.3f %10.1f %8.1f %6.1f %%\n", kPartNames[part], 1e3 * least,
                1e3 * times[part][times[part].size() / 2], 1e-9 * operations[part] / least,
                1e-9 * bytes / least, 100.0 * operations[part] / least / peak);
  }
}

void print_pass(const std::string& name, const char* pass, const Pass& of, double peak) {
  if (of.seconds > 0.0) {
    std::printf("%-22s %-16s %9.3f %9.1f %8.1f %6.1f %%\n", name.c_str(), pass, 1e3 * of.seconds,
                1e-9 * of.operations / of.seconds, 1e-9 * of.bytes / of.seconds,
                100.0 * of.operations / of.seconds / peak);
  }
}

struct NamedPass {
  const char* name;
  Pass LayerTimes::*pass;
};
constexpr NamedPass kPasses[] = {{"forward", &LayerTimes::forward},
                                 {"  norm", &LayerTimes::forward_norm},
                                 {"input gradient", &LayerTimes::input_gradient},
                                 {"weight gradient", &LayerTimes::weight_gradient},
                                 {"  norm, backward", &LayerTimes::backward_norm}};

double rest(const LayerTimes& layer) {
  double seconds = layer.forward_seconds + layer.backward_seconds;
  for (const NamedPass& pass : kPasses) {
    seconds -= (layer.*pass.pass).seconds;
  }
  return seconds;
}

void print_layer(const LayerTimes& layer, double peak) {
  std::printf("%s: %zu x %zu x %zu -> %zu x %zu x %zu, forward %.3f, backward %.3f\n",
              layer.name.c_str(), layer.input[1], layer.input[2], layer.input[3], layer.output[1],
              layer.output[2], layer.output[3], 1e3 * layer.forward_seconds,
              1e3 * layer.backward_seconds);
  for (const NamedPass& pass : kPasses) {
    print_pass("", pass.name, layer.*pass.pass, peak);
  }
  print_pass("", "rest", {.seconds = rest(layer)}, peak);
}

void print_sums(const std::vector<LayerTimes>& layers, const StepTimes& steps, double peak) {
  std::printf("all layers\n");
  double total = 0.0;
  Pass remaining;
  for (const NamedPass& named : kPasses) {
    Pass sum;
    for (const LayerTimes& layer : layers) {
      const Pass& pass = layer.*named.pass;
      sum.seconds += pass.seconds;
      sum.operations += pass.operations;
      sum.bytes += pass.bytes;
    }
    print_pass("", named.name, sum, peak);
  }
  for (const LayerTimes& layer : layers) {
    total += layer.forward_seconds + layer.backward_seconds;
    remaining.seconds += rest(layer);
  }
  print_pass("", "rest", remaining, peak);
  std::printf(
      "layers by themselves %.3f, forward and backward pass of a step %.3f: the difference is"
      "\nthe chains' ends (norm applied, residual added, sums), pool, loss, and"
      "\nwhat caches hold or do not\n",
      1e3 * total, 1e3 * (steps[kForward].front() + steps[kBackward].front()));
}

void run(const Setting& setting) {
  const FlushDenormals flush(FlushDenormals::current());
  set_thread_count(setting.threads);
  models::MobileNetV2 net({.dropout = 0.0f});
  Rng rng(1);
  nn::init_kaiming(net, rng);
  net.train();
  const double before = fma_peak(nn::isa(), setting.threads);
  const StepTimes steps = time_steps(net, setting);
  const std::vector<LayerTimes> layers =
      measure_layers(net, {setting.batch, setting.size, setting.size, 3}, setting.rounds);
  const double peak = std::max(before, fma_peak(nn::isa(), setting.threads));
  double parameter_bytes = 0.0;
  for (const nn::NamedTensor& parameter : nn::parameters(net)) {
    parameter_bytes += 4.0 * static_cast<double>(parameter.value->size());
  }
  std::printf("%s, %s, threads: %zu, peak %.1f GFLOP/s; batch %zu at %zu x %zu; milliseconds\n",
              cpu_name().c_str(), nn::isa().c_str(), setting.threads, 1e-9 * peak, setting.batch,
              setting.size, setting.size);
  print_steps(steps, step_operations(net, setting), parameter_bytes, peak);
  std::printf("\n%-22s %-16s %9s %9s %8s %8s\n", "layer", "", "minimum", "GFLOP/s", "GB/s",
              "of peak");
  for (const LayerTimes& layer : layers) {
    print_layer(layer, peak);
  }
  print_sums(layers, steps, peak);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Setting setting;
    setting.batch = argc > 1 ? std::stoul(argv[1]) : setting.batch;
    setting.size = argc > 2 ? std::stoul(argv[2]) : setting.size;
    setting.threads = argc > 3 ? std::stoul(argv[3]) : setting.threads;
    setting.rounds = argc > 4 ? std::stoi(argv[4]) : setting.rounds;
    run(setting);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "training: %s\n", error.what());
    return 1;
  }
}

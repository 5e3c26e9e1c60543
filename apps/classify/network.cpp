#include "apps/classify/network.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <utility>

#include "apps/classify/outputs.h"
#include "apps/support/stop_signal.h"
#include "core/error.h"
#include "models/checkpoint/limits.h"
#include "models/model_file.h"
#include "nn/isa.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;

// The length of a header that is JSON, and how JSON objects begin.
bool begins_as_safetensors(const std::string& path) {
  std::uint64_t length = 0;
  std::array<char, sizeof length + 1> bytes = {};
  std::ifstream file(path, std::ios::binary);
  if (!has_bytes(path) || !file.read(bytes.data(), bytes.size())) {
    return false;
  }
  std::memcpy(&length, bytes.data(), sizeof length);
  return length <= models::limits::kSafetensorsHeader && bytes.back() == '{';
}

}  // namespace

models::CompiledClassifier read_network(const ClassifyOptions& options, Console& console) {
  if (!options.plan.empty()) {
    check(!begins_as_safetensors(options.plan), options.plan,
          ": looks like weights, not a plan: pass it with --weights");
    return models::load_compiled_classifier(options.plan);
  }
  check(!nn::begins_as_plan(options.weights), options.weights,
        ": is a compiled plan, not weights: pass it with --plan");
  models::ReadClassifier read = models::read_compiled_classifier(options.weights, options.variant);
  for (const std::string& assumption : read.assumptions) {
    console.report(assumption);
  }
  return std::move(read.classifier);
}

ExitCode save_plan(const models::CompiledClassifier& network, const ClassifyOptions& options,
                   Console& console) {
  if (options.save_plan.empty()) {
    return ExitCode::success;
  }
  if (stop_requested()) {
    console.report("interrupted before the plan was saved");
    return stop_exit_code();
  }
  network.plan.save(options.save_plan);
  const double megabytes = 1e-6 * static_cast<double>(fs::file_size(options.save_plan));
  console.report(text(options.save_plan, ": saved: ", std::fixed, std::setprecision(1), megabytes,
                      " MB, for ", nn::isa()));
  return ExitCode::success;
}

}  // namespace lamina::apps

#include "apps/classify/options.h"

#include <algorithm>

#include "apps/support/command_line.h"
#include "apps/support/pictures.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/isa.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kMaxTop = 1'000'000;

constexpr const char* kExamples =
    "Examples:\n"
    "  classify --weights mobilenet_v2.safetensors cat.jpg\n"
    "  classify --top 1 --json photos/ > results.jsonl\n"
    "  curl -s https://example.org/cat.jpg | classify -\n\n";

// Both also look at the environment, so they are called without options as well.
void choose_isa_and_threads(const std::string& isa, std::size_t threads) {
  try {
    if (isa.empty()) {
      nn::isa();
    } else {
      nn::set_isa(isa);
    }
    if (threads == 0) {
      thread_count();
    } else {
      set_thread_count(threads);
    }
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

void check_usage(const ClassifyOptions& options) {
  if (options.weights.empty()) {
    throw UsageError(
        "weights: none given: pass --weights FILE, or set LAMINA_WEIGHTS, to a safetensors file of "
        "a MobileNetV2 with torchvision's names");
  }
  if (std::count(options.images.begin(), options.images.end(), kStandardInput) > 1) {
    throw UsageError("IMAGE: '-' may be given once: standard input holds one picture");
  }
}

}  // namespace

std::optional<ClassifyOptions> read_options(int argc, const char* const* argv, Console& console) {
  ClassifyOptions options;
  std::string isa;
  std::size_t threads = 0;
  bool json = false;
  CLI::App app("Says what is in pictures, with a MobileNetV2.", "classify");
  app.add_option("IMAGE", options.images,
                 "Pictures (PNG, JPEG), directories of them, or - for standard input")
      ->type_name("")
      ->required();
  app.add_option("--weights", options.weights, "Checkpoint (safetensors)")
      ->type_name("FILE")
      ->envname("LAMINA_WEIGHTS");
  app.add_option("--top", options.top, "Classes to list for each picture, the likeliest first")
      ->type_name("K")
      ->capture_default_str()
      ->check(whole_number(1, kMaxTop));
  app.add_flag("--json", json, "Print a JSON object a line");
  app.add_flag("--time", options.time, "Print how long decoding, preprocessing and network took");
  app.add_option("--isa", isa, "Instruction set of the kernels (default: the fastest here)")
      ->type_name("NAME");
  app.add_option("--threads", threads, "Threads of the network (default: all CPUs)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
  app.footer(text(kExamples, exit_code_help()));
  if (parse(app, argc, argv, console) == Parsed::answered) {
    return std::nullopt;
  }
  options.format = json ? Format::json : Format::text;
  choose_isa_and_threads(isa, threads);
  check_usage(options);
  return options;
}

}  // namespace lamina::apps

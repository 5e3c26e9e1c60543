#include "apps/classify/options.h"

#include <algorithm>
#include <cstdlib>

#include "apps/support/command_line.h"
#include "apps/support/pictures.h"
#include "apps/support/process_options.h"
#include "apps/support/variant_options.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kMaxTop = 1'000'000;

constexpr const char* kExamples =
    "Examples:\n"
    "  classify --weights mobilenet_v2.safetensors cat.jpg\n"
    "  classify --top 1 --json photos/ > results.jsonl\n"
    "  classify --weights mobilenet_v2.safetensors --save-plan mobilenet_v2.plan\n"
    "  classify --plan mobilenet_v2.plan cat.jpg\n"
    "  classify --weights fashion.safetensors --limit 48 --sheet sheet.png fashion-mnist\n"
    "  curl -s https://example.org/cat.jpg | classify -\n\n";

constexpr const char* kDataSets =
    "Data sets:\n"
    "  A folder of IDX files (MNIST's form) or of CIFAR-10's binary files, or the word\n"
    "  fashion-mnist for the files of Debian's package dataset-fashion-mnist. Their test pictures\n"
    "  are classified, a line each, and what is wrong is marked; a last line counts.\n\n";

constexpr const char* kPlans =
    "Plans:\n"
    "  A plan belongs to one instruction set and one version of Lamina.\n"
    "  --plan excludes --weights and --save-plan: a plan already holds the weights.\n\n";

void check_alone(const ClassifyOptions& options) {
  if (!options.weights.empty() && !options.save_plan.empty()) {
    throw UsageError(
        "--weights and --save-plan: do not go with --plan: a plan already holds the weights and is "
        "saved already");
  }
  if (!options.weights.empty()) {
    throw UsageError("--weights: does not go with --plan: a plan already holds the weights");
  }
  if (!options.save_plan.empty()) {
    throw UsageError("--save-plan: does not go with --plan: a plan is saved already");
  }
}

// A plan takes the place of weights that only the environment names.
void choose_network(ClassifyOptions& options) {
  const char* usual = std::getenv("LAMINA_WEIGHTS");
  if (!options.plan.empty() && usual != nullptr && options.weights == usual) {
    options.weights.clear();
  }
  if (!options.plan.empty()) {
    check_alone(options);
  }
  if (options.plan.empty() && options.weights.empty()) {
    throw UsageError(
        "weights: none given: pass --weights FILE, or set LAMINA_WEIGHTS, to a MobileNetV2's "
        "weights: .pth, .safetensors, .tflite or .onnx");
  }
}

void check_pictures(const ClassifyOptions& options) {
  if (options.images.empty() && options.save_plan.empty()) {
    throw UsageError("IMAGE is required (see classify --help)");
  }
  if (std::count(options.images.begin(), options.images.end(), kStandardInput) > 1) {
    throw UsageError("IMAGE: '-' may be given once: standard input holds one picture");
  }
  if (options.images.empty() && !options.sheet.empty()) {
    throw UsageError("--sheet: shows pictures: there is no IMAGE");
  }
}

void declare_network(CLI::App& app, ClassifyOptions& options) {
  app.add_option("--weights", options.weights, "Weights: .pth, .safetensors, .tflite or .onnx")
      ->type_name("FILE")
      ->check(file_name())
      ->envname("LAMINA_WEIGHTS");
  app.add_option("--plan", options.plan, "Compiled network from --save-plan, instead of weights")
      ->type_name("FILE")
      ->check(file_name());
  app.add_option("--save-plan", options.save_plan, "Keep the compiled network in a file")
      ->type_name("FILE")
      ->check(file_name());
}

void declare_pictures(CLI::App& app, ClassifyOptions& options) {
  app.add_option("IMAGE", options.images,
                 "Pictures (PNG, JPEG), directories of them, data sets, or - for standard input")
      ->type_name("");
  app.add_option("--limit", options.limit, "Pictures of each directory or data set at most")
      ->type_name("N")
      ->check(whole_number(1, std::numeric_limits<std::size_t>::max()));
  app.add_option("--shuffle", options.shuffle,
                 "Take them in a random order, and --limit of them at random, as a seed decides")
      ->type_name("SEED")
      ->check(whole_number(0, std::numeric_limits<std::size_t>::max()));
}

void declare_results(CLI::App& app, ClassifyOptions& options) {
  app.add_option("--top", options.top,
                 "Classes to list for each picture, the likeliest first (default: 5, for data sets "
                 "1)")
      ->type_name("K")
      ->check(whole_number(1, kMaxTop));
  app.add_option("--sheet", options.sheet, "Show the pictures and what they are taken for in a PNG")
      ->type_name("FILE")
      ->check(file_name());
}

}  // namespace

std::optional<ClassifyOptions> read_options(int argc, const char* const* argv, Console& console) {
  ClassifyOptions options;
  ProcessOptions process;
  VariantArguments variant;
  bool json = false;
  CLI::App app("Says what is in pictures, with a MobileNetV2.", "classify");
  declare_pictures(app, options);
  declare_network(app, options);
  declare_results(app, options);
  app.add_flag("--json", json, "Print a JSON object a line");
  app.add_flag("--time", options.time, "Print how long decoding, preprocessing and network took");
  declare_process(app, process);
  declare_variant(app, variant);
  app.footer(text(kExamples, kDataSets, kPlans, exit_code_help()));
  if (parse(app, argc, argv, console) == Parsed::answered) {
    return std::nullopt;
  }
  options.format = json ? Format::json : Format::text;
  options.variant = to_variant(variant);
  check_pictures(options);
  apply(process);
  choose_network(options);
  return options;
}

}  // namespace lamina::apps

#include "apps/inspect/options.h"

#include "apps/support/command_line.h"
#include "apps/support/variant_options.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  inspect mobilenet_v2-b0353104.pth\n"
    "  inspect --tensors model.safetensors | less\n"
    "  inspect --json model.tflite\n"
    "  inspect --limits\n\n"
    "FILE may be PyTorch's .pth, safetensors or an index of several, TensorFlow Lite, ONNX, or a\n"
    "plan. Nothing in it is run.\n\n";

}  // namespace

std::optional<InspectOptions> read_options(int argc, const char* const* argv, Console& console) {
  InspectOptions options;
  VariantArguments variant;
  CLI::App app("Says what a file of weights holds.", "inspect");
  app.add_option("FILE", options.file, "Weights, a network or a plan")->type_name("");
  app.add_flag("--tensors", options.tensors, "List every tensor");
  app.add_flag("--json", options.json, "Print one JSON object");
  app.add_flag("--limits", options.limits, "List what files may ask for at most");
  declare_variant(app, variant);
  app.footer(text(kExamples, exit_code_help()));
  if (parse(app, argc, argv, console) == Parsed::answered) {
    return std::nullopt;
  }
  if (options.file.empty() && !options.limits) {
    throw UsageError("FILE is required (see inspect --help)");
  }
  if (!options.file.empty() && options.limits) {
    throw UsageError("--limits: goes alone: they are the same for every file");
  }
  options.variant = to_variant(variant);
  return options;
}

}  // namespace lamina::apps

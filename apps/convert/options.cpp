#include "apps/convert/options.h"

#include <filesystem>

#include "apps/support/command_line.h"
#include "apps/support/variant_options.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  convert mobilenet_v2-b0353104.pth mobilenet_v2.safetensors\n"
    "  convert --names mmcls model.safetensors model.pth\n"
    "  convert --fold-bn --half f16 model.pth small.safetensors\n\n"
    "OUT's ending says what is written: .safetensors, .pth or .onnx. It is read back, and both "
    "networks\n"
    "are run on a random picture: when they differ by more than rounding, OUT is removed.\n\n";

Target target_of(const std::string& out) {
  const std::string ending = std::filesystem::path(out).extension();
  if (ending == ".safetensors") {
    return Target::safetensors;
  }
  if (ending == ".pth" || ending == ".pt") {
    return Target::torch;
  }
  if (ending == ".onnx") {
    return Target::onnx;
  }
  throw UsageError(text("OUT: must end in .safetensors, .pth or .onnx: got '", out, "'"));
}

models::Naming naming_of(const std::string& name) {
  const auto naming = models::find_naming(name);
  if (!naming || (name != "torchvision" && name != "mmcls" && name != "timm")) {
    throw UsageError(text("--names: must be torchvision, mmcls or timm: got '", name, "'"));
  }
  return *naming;
}

models::StoredType type_of(const std::string& half) {
  if (half.empty()) {
    return models::StoredType::f32;
  }
  if (half != "f16" && half != "bf16") {
    throw UsageError(text("--half: must be f16 or bf16: got '", half, "'"));
  }
  return half == "f16" ? models::StoredType::f16 : models::StoredType::bf16;
}

void check_options(const ConvertOptions& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(options.in, options.out, ignored)) {
    throw UsageError(text("OUT: ", options.out, ": is IN: it will not be replaced"));
  }
  if (options.type != models::StoredType::f32 && options.target != Target::safetensors) {
    throw UsageError("--half: goes with .safetensors only");
  }
}

}  // namespace

std::optional<ConvertOptions> read_options(int argc, const char* const* argv, Console& console) {
  ConvertOptions options;
  VariantArguments variant;
  std::string names = "torchvision", half;
  CLI::App app("Writes a MobileNetV2 in another format.", "convert");
  app.add_option("IN", options.in, "Weights of any readable kind")->type_name("");
  app.add_option("OUT", options.out, "What to write")->type_name("");
  app.add_flag("--fold-bn", options.folds, "Fold batch norm into the convolutions");
  app.add_option("--names", names, "Whose names the tensors get")
      ->type_name("torchvision|mmcls|timm");
  app.add_option("--half", half, "Round to 16 bits")->type_name("f16|bf16");
  app.add_option("--opset", options.opset, "Of ONNX: 13 or 17")
      ->type_name("N")
      ->check(whole_number(1, 100));
  declare_variant(app, variant);
  app.footer(text(kExamples, exit_code_help()));
  if (parse(app, argc, argv, console) == Parsed::answered) {
    return std::nullopt;
  }
  if (options.in.empty() || options.out.empty()) {
    throw UsageError("IN and OUT are required (see convert --help)");
  }
  options.target = target_of(options.out);
  options.naming = naming_of(names);
  options.type = type_of(half);
  options.variant = to_variant(variant);
  if (options.opset != 13 && options.opset != 17) {
    throw UsageError(text("--opset: must be 13 or 17: got ", options.opset));
  }
  check_options(options);
  return options;
}

}  // namespace lamina::apps

#include "apps/support/variant_options.h"

#include "apps/support/command_line.h"
#include "apps/support/exit_code.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr const char* kGroup = "Where the weights' file does not say it";

std::string preprocessing_list() {
  std::string list;
  for (const std::string_view name : models::preprocessing_names()) {
    list += text(list.empty() ? "" : "|", name);
  }
  return list;
}

}  // namespace

void declare_variant(CLI::App& app, VariantArguments& arguments) {
  app.add_option("--padding", arguments.padding, "Zero padding: as TensorFlow's or PyTorch's")
      ->type_name("same|symmetric")
      ->group(kGroup);
  app.add_option("--epsilon", arguments.epsilon, "Of batch norm")
      ->type_name("NUMBER")
      ->check(number_at_least(0.0))
      ->group(kGroup);
  app.add_option("--activation", arguments.activation, "After the convolutions")
      ->type_name("relu|relu6")
      ->group(kGroup);
  app.add_option("--preprocessing", arguments.preprocessing, "Resizing and normalization")
      ->type_name(preprocessing_list())
      ->group(kGroup);
}

models::VariantOptions to_variant(const VariantArguments& arguments) {
  models::VariantOptions options;
  const auto choose = [](const char* option, const std::string& value, const std::string& choices,
                         bool known) {
    if (!value.empty() && !known) {
      throw UsageError(text(option, ": must be one of ", choices, ": got '", value, "'"));
    }
    return !value.empty();
  };
  const bool same = arguments.padding == "same";
  if (choose("--padding", arguments.padding, "same|symmetric",
             same || arguments.padding == "symmetric")) {
    options.padding = same ? nn::PaddingMode::same : nn::PaddingMode::symmetric;
  }
  const bool relu = arguments.activation == "relu";
  if (choose("--activation", arguments.activation, "relu|relu6",
             relu || arguments.activation == "relu6")) {
    options.activation = relu ? models::Activation::relu : models::Activation::relu6;
  }
  options.preprocessing = models::find_preprocessing(arguments.preprocessing);
  choose("--preprocessing", arguments.preprocessing, preprocessing_list(),
         options.preprocessing.has_value());
  if (arguments.epsilon > 0.0) {
    options.epsilon = static_cast<float>(arguments.epsilon);
  }
  return options;
}

}  // namespace lamina::apps

// Writes a MobileNetV2 in another format, and makes sure that it is the same one.
#include <filesystem>
#include <string>

#include "apps/convert/convert.h"
#include "apps/convert/options.h"
#include "core/error.h"
#include "models/model_file.h"
#include "nn/layers.h"

namespace lamina::apps {
namespace {

ExitCode main_program(int argc, char** argv, Console& console) {
  const auto options = read_options(argc, argv, console);
  if (!options) {
    return ExitCode::success;
  }
  models::Classifier classifier = models::read_any_classifier(options->in, options->variant);
  for (const std::string& assumption : classifier.assumptions) {
    console.report(assumption);
  }
  if (options->folds) {
    nn::fold_batch_norm(*classifier.net);
  }
  write(classifier, *options);
  const Difference difference = compare(classifier, *options);
  if (!difference.is_rounding()) {
    std::filesystem::remove(options->out);
    throw Error(text(options->out, ": removed: its logits differ by up to ", difference.largest,
                     " on a random picture, rounding explains ",
                     difference.tolerance * difference.scale));
  }
  console.print(text(options->out, ": written and read back: logits differ by ", difference.largest,
                     " at most on a random picture, of ", difference.scale, '\n'));
  return ExitCode::success;
}

}  // namespace
}  // namespace lamina::apps

int main(int argc, char** argv) {
  using namespace lamina::apps;
  return run("convert", [&](Console& console) { return main_program(argc, argv, console); });
}

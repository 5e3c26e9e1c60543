// Says what is in pictures: one line of prose a step.
#include <filesystem>
#include <string>
#include <utility>

#include "apps/classify/classify_all.h"
#include "apps/classify/network.h"
#include "apps/classify/options.h"
#include "apps/classify/outputs.h"
#include "apps/classify/result.h"
#include "apps/classify/sheet.h"
#include "apps/support/console.h"
#include "apps/support/pictures.h"
#include "apps/support/stop_signal.h"
#include "core/error.h"
#include "models/compiled_classifier.h"

namespace lamina::apps {
namespace {

// Shows what was classified, though a signal has cut it short.
void save_sheet(Tally& tally, std::size_t total, const ClassifyOptions& options, Console& console) {
  if (tally.sheet.empty()) {
    return;
  }
  const std::size_t shown = tally.sheet.size();
  const std::string part = shown < total ? text(shown, " of ", total) : text(shown);
  const std::string shows = text(part, total == 1 ? " picture" : " pictures");
  const std::string& network = options.plan.empty() ? options.weights : options.plan;
  draw({.title = title(tally) + (shown < total ? text(", ", part, " shown") : ""),
        .subtitle = std::filesystem::path(network).filename().string(),
        .pictures = std::move(tally.sheet)},
       options.sheet);
  console.report(text(options.sheet, ": saved: ", shows));
}

ExitCode conclude(Tally& tally, std::size_t total, const ClassifyOptions& options,
                  Console& console) {
  console.print(summary(tally, options));
  save_sheet(tally, total, options, console);
  if (options.time && tally.times.size() > 1) {
    console.remark(summary(tally.times));
  }
  if (stop_requested() && tally.done < total) {
    console.report(text("interrupted after ", tally.done, " of ", total, " pictures"));
    return stop_exit_code();
  }
  if (tally.failed > 0 && total > 1) {
    console.report(text(tally.failed, " of ", total, " pictures could not be read"));
  }
  return tally.failed > 0 ? ExitCode::failed : ExitCode::success;
}

ExitCode main_program(int argc, char** argv, Console& console) {
  const auto options = read_options(argc, argv, console);
  if (!options) {
    return ExitCode::success;
  }
  catch_stop_signals();
  check_outputs(*options);
  const models::CompiledClassifier network = read_network(*options, console);
  if (const ExitCode saved = save_plan(network, *options, console); saved != ExitCode::success) {
    return saved;
  }
  ExitCode found = ExitCode::success;
  const auto pictures = find_pictures(
      options->images,
      {.labels = network.labels, .limit = options->limit, .shuffle = options->shuffle},
      [&](const std::string& message) {
        console.report(message);
        found = ExitCode::failed;
      });
  check_sheet(*options, pictures);
  Tally tally = classify_all(network, pictures, *options, console);
  const ExitCode code = conclude(tally, pictures.size(), *options, console);
  return code == ExitCode::success ? found : code;
}

}  // namespace
}  // namespace lamina::apps

int main(int argc, char** argv) {
  using namespace lamina::apps;
  return run("classify", [&](Console& console) { return main_program(argc, argv, console); });
}

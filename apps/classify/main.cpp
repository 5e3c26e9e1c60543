// Says what is in pictures: one line of prose a step.
#include <string>
#include <vector>

#include "apps/classify/network.h"
#include "apps/classify/options.h"
#include "apps/classify/result.h"
#include "apps/support/console.h"
#include "apps/support/pictures.h"
#include "apps/support/prefetch.h"
#include "apps/support/progress.h"
#include "apps/support/stop_signal.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/compiled_classifier.h"

namespace lamina::apps {
namespace {

struct Tally {
  std::size_t done = 0;
  std::size_t failed = 0;
  std::vector<PictureTimes> times;
};

PictureResult classify(const models::CompiledClassifier& network, const std::string& file,
                       const Prepared& picture, std::size_t top) {
  const Stopwatch watch;
  const Tensor logits = network.plan(picture.input);
  const double network_ms = watch.milliseconds();
  return {file,
          top_predictions(logits, network.labels, top),
          {picture.decode_ms, picture.preprocess_ms, network_ms}};
}

// Pictures are prepared on other threads while the network works on the one before.
Tally classify_all(const models::CompiledClassifier& network, const std::vector<std::string>& files,
                   const ClassifyOptions& options, Console& console) {
  Tally tally;
  Prefetch<Prepared> pictures(
      {.count = files.size(), .ahead = pictures_ahead(thread_count())},
      [&](std::size_t i) { return prepare(files[i], network.preprocessing); });
  Progress progress(console, files.size());
  for (const std::string& file : files) {
    const Prepared picture = pictures.next();
    if (stop_requested()) {
      break;
    }
    if (picture.failure.empty()) {
      const PictureResult result = classify(network, file, picture, options.top);
      console.print(as_output(result, options));
      tally.times.push_back(result.times);
    } else {
      console.report(picture.failure);
      ++tally.failed;
    }
    progress.update(++tally.done);
  }
  return tally;
}

ExitCode conclude(const Tally& tally, std::size_t total, const ClassifyOptions& options,
                  Console& console) {
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
  check_save_plan(*options);
  const models::CompiledClassifier network = read_network(*options, console);
  if (const ExitCode saved = save_plan(network, *options, console); saved != ExitCode::success) {
    return saved;
  }
  ExitCode found = ExitCode::success;
  const auto files = find_pictures(options->images, [&](const std::string& message) {
    console.report(message);
    found = ExitCode::failed;
  });
  const Tally tally = classify_all(network, files, *options, console);
  const ExitCode code = conclude(tally, files.size(), *options, console);
  return code == ExitCode::success ? found : code;
}

}  // namespace
}  // namespace lamina::apps

int main(int argc, char** argv) {
  using namespace lamina::apps;
  return run("classify", [&](Console& console) { return main_program(argc, argv, console); });
}

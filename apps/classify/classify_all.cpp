#include "apps/classify/classify_all.h"

#include <string>
#include <utility>

#include "apps/classify/result.h"
#include "apps/support/prefetch.h"
#include "apps/support/progress.h"
#include "apps/support/stop_signal.h"
#include "core/parallel.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kTopOfFiles = 5;
constexpr std::size_t kTopOfSets = 1;

PictureResult classify(const models::CompiledClassifier& network, const Picture& picture,
                       const Prepared& prepared, const ClassifyOptions& options) {
  const std::size_t usual = picture.set ? kTopOfSets : kTopOfFiles;
  const Stopwatch watch;
  const Tensor logits = network.plan(prepared.input);
  const double network_ms = watch.milliseconds();
  return {picture,
          picture.set ? network.labels[picture.truth] : "",
          top_predictions(logits, network.labels, options.top.value_or(usual)),
          {prepared.decode_ms, prepared.preprocess_ms, network_ms}};
}

void count(const PictureResult& result, Tally& tally) {
  tally.times.push_back(result.times);
  tally.checked += result.picture.set ? 1 : 0;
  tally.right += result.picture.set && result.is_right() ? 1 : 0;
}

SheetPicture on_sheet(const PictureResult& result, data::Image thumbnail) {
  const Prediction& best = result.predictions.front();
  return {std::move(thumbnail), best.label, best.probability,
          result.is_right() ? "" : result.truth};
}

}  // namespace

// Pictures are prepared on other threads while the network works on the one before.
Tally classify_all(const models::CompiledClassifier& network, const std::vector<Picture>& pictures,
                   const ClassifyOptions& options, Console& console) {
  Tally tally;
  const Stopwatch watch;
  const std::size_t shown = options.sheet.empty() ? 0 : kMostOnSheet;
  Prefetch<Prepared> preparing(
      {.count = pictures.size(), .ahead = pictures_ahead(thread_count())}, [&](std::size_t i) {
        return prepare(pictures[i], network.preprocessing, i < shown ? kThumbnailSide : 0);
      });
  Progress progress(console, pictures.size());
  for (const Picture& picture : pictures) {
    Prepared prepared = preparing.next();
    if (stop_requested()) {
      break;
    }
    if (prepared.failure.empty()) {
      const PictureResult result = classify(network, picture, prepared, options);
      console.print(as_output(result, options));
      count(result, tally);
      if (tally.done < shown) {
        tally.sheet.push_back(on_sheet(result, std::move(prepared.thumbnail)));
      }
    } else {
      console.report(prepared.failure);
      ++tally.failed;
    }
    progress.update(++tally.done);
  }
  tally.seconds = watch.seconds();
  return tally;
}

}  // namespace lamina::apps

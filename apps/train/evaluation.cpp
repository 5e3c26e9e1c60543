#include "apps/train/evaluation.h"

#include <algorithm>
#include <cmath>

#include "apps/support/stop_signal.h"
#include "core/autograd.h"

namespace lamina::apps {
namespace {

double cross_entropy(const float* logits, std::size_t classes, std::size_t label) {
  const double highest = static_cast<double>(*std::max_element(logits, logits + classes));
  double sum = 0.0;
  for (std::size_t i = 0; i < classes; ++i) {
    sum += std::exp(static_cast<double>(logits[i]) - highest);
  }
  return std::log(sum) + highest - static_cast<double>(logits[label]);
}

std::size_t prediction(const float* logits, std::size_t classes) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < classes; ++i) {
    if (logits[i] > logits[best] || (std::isnan(logits[best]) && !std::isnan(logits[i]))) {
      best = i;
    }
  }
  return best;
}

void add(const data::Batch& batch, const Tensor& logits, Scores& sums) {
  const std::size_t classes = logits.shape()[1];
  for (std::size_t i = 0; i < batch.labels.size(); ++i) {
    const float* row = logits.values().data() + i * classes;
    const std::size_t label = batch.labels[i];
    const std::size_t rank = rank_of(row, classes, label);
    sums.loss += cross_entropy(row, classes, label);
    sums.top1 += rank == 0 ? 1.0 : 0.0;
    sums.top5 += rank < 5 ? 1.0 : 0.0;
    sums.confusion[label][prediction(row, classes)] += 1;
  }
  sums.pictures += batch.labels.size();
}

}  // namespace

std::size_t rank_of(const float* logits, std::size_t classes, std::size_t label) {
  const float own = logits[label];
  std::size_t rank = 0;
  for (std::size_t i = 0; i < classes; ++i) {
    const bool ahead = std::isnan(own) ? !std::isnan(logits[i]) || i < label
                                       : logits[i] > own || (logits[i] == own && i < label);
    rank += ahead ? 1 : 0;
  }
  return rank;
}

std::optional<Scores> evaluate(Source& source, std::size_t classes, const Forward& forward) {
  const NoGrad no_grad;
  Scores scores;
  scores.confusion.assign(classes, std::vector<std::size_t>(classes));
  source.seek({});
  while (const auto batch = source.next()) {
    if (stop_requested()) {
      return std::nullopt;
    }
    const Tensor logits = forward(batch->images);
    add(*batch, logits, scores);
  }
  const auto pictures = static_cast<double>(scores.pictures);
  scores.loss /= pictures;
  scores.top1 /= pictures;
  scores.top5 /= pictures;
  return scores;
}

}  // namespace lamina::apps

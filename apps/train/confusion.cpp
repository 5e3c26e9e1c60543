#include "apps/train/confusion.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace lamina::apps {
namespace {

std::size_t pictures_of(const std::vector<std::size_t>& row) {
  return std::accumulate(row.begin(), row.end(), std::size_t{0});
}

double share(std::size_t part, std::size_t all) {
  return static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

std::vector<std::optional<double>> recalls(const ConfusionMatrix& confusion) {
  std::vector<std::optional<double>> shares(confusion.size());
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    if (const std::size_t all = pictures_of(confusion[label])) {
      shares[label] = share(confusion[label][label], all);
    }
  }
  return shares;
}

std::vector<Confusion> worst_confusions(const ConfusionMatrix& confusion, std::size_t count) {
  std::vector<Confusion> found;
  for (std::size_t label = 0; label < confusion.size(); ++label) {
    const std::size_t all = pictures_of(confusion[label]);
    for (std::size_t prediction = 0; prediction < confusion.size(); ++prediction) {
      const std::size_t pictures = confusion[label][prediction];
      if (label != prediction && pictures > 0) {
        found.push_back({label, prediction, pictures, share(pictures, all)});
      }
    }
  }
  std::ranges::stable_sort(found, std::greater(), &Confusion::pictures);
  found.resize(std::min(found.size(), count));
  return found;
}

std::vector<std::size_t> lowest_recalls(const ConfusionMatrix& confusion, std::size_t count) {
  const auto shares = recalls(confusion);
  std::vector<std::size_t> labels;
  for (std::size_t label = 0; label < shares.size(); ++label) {
    if (shares[label]) {
      labels.push_back(label);
    }
  }
  std::ranges::stable_sort(labels, std::less(), [&](std::size_t label) { return *shares[label]; });
  labels.resize(std::min(labels.size(), count));
  return labels;
}

}  // namespace lamina::apps

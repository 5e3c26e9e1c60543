#include "apps/support/predictions.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <sstream>

#include "core/error.h"
#include "nn/ops.h"

namespace lamina::apps {
namespace {

constexpr std::size_t kLabelStart = 13;  // indentation, "100.00%" and gaps, beside the bar

// Broken weights give NaN, which has no place in an order: behind all others.
float order_key(float logit) {
  return std::isnan(logit) ? -std::numeric_limits<float>::infinity() : logit;
}

}  // namespace

std::vector<Prediction> top_predictions(const Tensor& logits,
                                        const std::vector<std::string>& labels, std::size_t count) {
  const Tensor probabilities = nn::softmax(logits);
  const auto values = logits.values();
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto end = order.begin() + static_cast<std::ptrdiff_t>(std::min(count, order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
    const float first = order_key(values[a]);
    const float second = order_key(values[b]);
    return first != second ? first > second : a < b;
  });
  std::vector<Prediction> predictions;
  for (auto index = order.begin(); index != end; ++index) {
    const std::string label =
        *index < labels.size() ? labels[*index] : lamina::text("class ", *index);
    predictions.push_back({*index, label, probabilities.values()[*index], values[*index]});
  }
  return predictions;
}

std::string as_table(const std::vector<Prediction>& predictions, const Canvas& canvas) {
  const std::size_t columns = canvas.columns.value_or(std::numeric_limits<std::size_t>::max());
  const std::size_t used = kLabelStart + bar_columns(canvas);
  std::ostringstream table;
  table << std::fixed << std::setprecision(2);
  for (const Prediction& prediction : predictions) {
    const std::string label = printable(prediction.label);
    table << "  " << std::setw(6) << 100.0f * prediction.probability << "%  "
          << bar(prediction.probability, bar_columns(canvas), canvas.charset) << "  "
          << clip(label, columns > used ? columns - used : 1) << '\n';
  }
  return table.str();
}

}  // namespace lamina::apps

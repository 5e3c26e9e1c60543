#include "apps/classify/result.h"

#include <cstdint>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <unistd.h>
#include <utility>

#include "core/error.h"

namespace lamina::apps {
namespace {

// Keys in the order written, and floats in as few digits as identify them.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool,
                                  std::int64_t, std::uint64_t, float>;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string as_json(const PictureResult& result, const ClassifyOptions& options) {
  Json predictions = Json::array();
  for (const Prediction& prediction : result.predictions) {
    predictions.push_back({{"index", prediction.index},
                           {"label", prediction.label},
                           {"probability", prediction.probability},
                           {"logit", prediction.logit}});
  }
  Json line = {{"file", result.picture.file}};
  if (result.picture.set) {
    line["number"] = result.picture.number;
    line["truth"] = {{"index", result.picture.truth}, {"label", result.truth}};
    line["right"] = result.is_right();
  }
  line["predictions"] = std::move(predictions);
  if (options.time) {
    line["time_ms"] = {{"decode", result.times.decode_ms},
                       {"preprocess", result.times.preprocess_ms},
                       {"network", result.times.network_ms}};
  }
  return line_of(line);
}

std::string set_line(const PictureResult& result) {
  const Prediction& best = result.predictions.front();
  const auto digits = static_cast<int>(std::to_string(result.picture.set->size() - 1).size());
  return text(printable(result.picture.file), ' ', std::setw(digits), result.picture.number, "  ",
              std::fixed, std::setprecision(2), std::setw(6), 100.0f * best.probability, "%  ",
              printable(best.label),
              result.is_right() ? "" : "  (wrong: should be " + printable(result.truth) + ')',
              '\n');
}

std::string as_text(const PictureResult& result, const ClassifyOptions& options) {
  std::string lines = result.picture.set ? set_line(result) : printable(result.picture.file) + '\n';
  if (!result.picture.set || result.predictions.size() > 1) {
    lines += as_table(result.predictions, {locale_charset(), terminal_columns(STDOUT_FILENO)});
  }
  if (options.time) {
    lines += "  " + as_text(result.times) + '\n';
  }
  return lines;
}

double share_right(const Tally& tally) {
  return static_cast<double>(tally.right) / static_cast<double>(tally.checked);
}

}  // namespace

std::string as_output(const PictureResult& result, const ClassifyOptions& options) {
  return options.format == Format::json ? as_json(result, options) : as_text(result, options);
}

std::string summary(const Tally& tally, const ClassifyOptions& options) {
  if (tally.checked == 0) {
    return {};
  }
  const double rate = static_cast<double>(tally.times.size()) / tally.seconds;
  if (options.format == Format::json) {
    return line_of({{"summary",
                     {{"pictures", tally.checked},
                      {"right", tally.right},
                      {"share", share_right(tally)},
                      {"images_per_second", rate}}}});
  }
  return text(title(tally), ", ", std::fixed, std::setprecision(rate < 10.0 ? 1 : 0), rate,
              " images/s\n");
}

std::string title(const Tally& tally) {
  if (tally.checked == 0) {
    return text(tally.times.size(), tally.times.size() == 1 ? " picture" : " pictures");
  }
  return text(tally.right, " of ", tally.checked, " right (", std::fixed, std::setprecision(2),
              100.0 * share_right(tally), "%)");
}

}  // namespace lamina::apps

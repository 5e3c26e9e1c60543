#include "apps/classify/result.h"

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace lamina::apps {
namespace {

// Keys in the order written, and floats in as few digits as identify them.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool,
                                  std::int64_t, std::uint64_t, float>;

std::string as_json(const PictureResult& result, const ClassifyOptions& options) {
  Json predictions = Json::array();
  for (const Prediction& prediction : result.predictions) {
    predictions.push_back({{"index", prediction.index},
                           {"label", prediction.label},
                           {"probability", prediction.probability},
                           {"logit", prediction.logit}});
  }
  Json line = {{"file", result.file}, {"predictions", std::move(predictions)}};
  if (options.time) {
    line["time_ms"] = {{"decode", result.times.decode_ms},
                       {"preprocess", result.times.preprocess_ms},
                       {"network", result.times.network_ms}};
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::string as_text(const PictureResult& result, const ClassifyOptions& options) {
  std::string lines = printable(result.file) + '\n';
  lines += as_table(result.predictions, {locale_charset(), terminal_columns(STDOUT_FILENO)});
  if (options.time) {
    lines += "  " + as_text(result.times) + '\n';
  }
  return lines;
}

}  // namespace

std::string as_output(const PictureResult& result, const ClassifyOptions& options) {
  return options.format == Format::json ? as_json(result, options) : as_text(result, options);
}

}  // namespace lamina::apps

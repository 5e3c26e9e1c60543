#include "apps/support/timing.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>
#include <utility>

namespace lamina::apps {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

struct Stage {
  const char* name;
  double PictureTimes::*milliseconds;
};
constexpr Stage kStages[] = {{"decode", &PictureTimes::decode_ms},
                             {"preprocess", &PictureTimes::preprocess_ms},
                             {"network", &PictureTimes::network_ms}};

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<unsigned long long>(std::ceil(seconds));
  std::ostringstream text;
  text << std::setfill('0');
  if (whole < 60) {
    text << whole << " s";
  } else if (whole < 3600) {
    text << whole / 60 << " min " << std::setw(2) << whole % 60 << " s";
  } else {
    text << whole / 3600 << " h " << std::setw(2) << whole / 60 % 60 << " min";
  }
  return text.str();
}

std::string as_text(const PictureTimes& times) {
  std::ostringstream line;
  line << std::fixed << std::setprecision(2);
  const char* separator = "";
  for (const auto& [name, milliseconds] : kStages) {
    line << std::exchange(separator, ", ") << name << ' ' << times.*milliseconds << " ms";
  }
  return line.str();
}

std::string summary(const std::vector<PictureTimes>& times) {
  std::ostringstream table;
  table << std::fixed << std::setprecision(2) << std::left << std::setw(12) << "ms" << std::right
        << std::setw(10) << "minimum" << std::setw(10) << "median" << '\n';
  for (const auto& [name, milliseconds] : kStages) {
    std::vector<double> values;
    for (const PictureTimes& picture : times) {
      values.push_back(picture.*milliseconds);
    }
    table << std::left << std::setw(12) << name << std::right << std::setw(10)
          << *std::min_element(values.begin(), values.end()) << std::setw(10) << median(values)
          << '\n';
  }
  return table.str();
}

}  // namespace lamina::apps

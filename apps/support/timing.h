#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace lamina::apps {

/// Time since it was made.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  double milliseconds() const { return seconds() * 1e3; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// "8 s", "2 min 05 s", "3 h 07 min", rounded up.
std::string duration(double seconds);

/// Milliseconds that one picture took.
struct PictureTimes {
  double decode_ms = 0.0;
  double preprocess_ms = 0.0;
  double network_ms = 0.0;
};

/// One line: "decode 3.21 ms, preprocess 1.10 ms, network 9.87 ms".
std::string as_text(const PictureTimes& times);

/// Minimum and median of each column over one or more pictures, a line each.
std::string summary(const std::vector<PictureTimes>& times);

}  // namespace lamina::apps

#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/console.h"
#include "models/variant.h"

namespace lamina::apps {

enum class Format { text, json };

/// The command line of classify.
struct ClassifyOptions {
  std::vector<std::string> images;  ///< files, directories, data sets, or "-"
  std::string weights;              ///< empty where there is a plan
  models::VariantOptions variant;   ///< what the weights' file may leave open
  std::string plan;
  std::string save_plan;  ///< where the plan goes; empty: nowhere
  std::string sheet;      ///< where the contact sheet goes; empty: nowhere
  std::size_t limit = std::numeric_limits<std::size_t>::max();  ///< of each directory or data set
  std::optional<std::uint64_t> shuffle;                         ///< seed of their order
  std::optional<std::size_t> top;  ///< empty: 5, and 1 for pictures of data sets
  Format format = Format::text;
  bool time = false;  ///< also print how long each picture took
};

/// Reads the command line and applies --isa and --threads to the process; empty when --help or
/// --version has been answered. Throws UsageError.
std::optional<ClassifyOptions> read_options(int argc, const char* const* argv, Console& console);

}  // namespace lamina::apps

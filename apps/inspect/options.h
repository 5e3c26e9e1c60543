#pragma once

#include <optional>
#include <string>

#include "apps/support/console.h"
#include "models/variant.h"

namespace lamina::apps {

/// The command line of inspect.
struct InspectOptions {
  std::string file;
  models::VariantOptions variant;
  bool json = false;
  bool tensors = false;  ///< also list every tensor
  bool limits = false;   ///< list the limits on files instead
};

/// Empty when --help or --version has been answered. Throws UsageError.
std::optional<InspectOptions> read_options(int argc, const char* const* argv, Console& console);

}  // namespace lamina::apps

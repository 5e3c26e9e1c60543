#pragma once

#include "apps/classify/options.h"
#include "apps/support/console.h"
#include "apps/support/exit_code.h"
#include "models/compiled_classifier.h"

namespace lamina::apps {

/// Loads the plan, or reads the weights and compiles them; reports what it had to assume. Throws
/// Error, which for a plan in place of weights, or weights in place of a plan, says so.
models::CompiledClassifier read_network(const ClassifyOptions& options, Console& console);

/// Saves the plan where options say so, and reports it, unless asked to stop before. Throws Error.
ExitCode save_plan(const models::CompiledClassifier& network, const ClassifyOptions& options,
                   Console& console);

}  // namespace lamina::apps

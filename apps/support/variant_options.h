#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "models/variant.h"

namespace lamina::apps {

/// What a command line says of a checkpoint that its file may leave open.
struct VariantArguments {
  std::string padding, activation, preprocessing;  ///< empty: not said
  double epsilon = 0.0;                            ///< 0: not said
};

/// Declares --padding, --epsilon, --activation and --preprocessing.
void declare_variant(CLI::App& app, VariantArguments& arguments);

/// The same as values. Throws UsageError for a word that is none of the choices.
models::VariantOptions to_variant(const VariantArguments& arguments);

}  // namespace lamina::apps

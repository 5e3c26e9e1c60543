#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

#include "apps/support/console.h"

namespace lamina::apps {

/// What parsing left to do: the job, or nothing as --help or --version has been answered.
enum class Parsed { job, answered };

/// Gives `app` --version and its look, then parses. Throws UsageError.
Parsed parse(CLI::App& app, int argc, const char* const* argv, Console& console);

/// A validator for options that take a whole number from `lowest` to `highest`.
CLI::Validator whole_number(std::size_t lowest, std::size_t highest);

/// A validator for options that take a number of at least `lowest`.
CLI::Validator number_at_least(double lowest);

/// A validator for options that take a file's name: any but an empty one.
CLI::Validator file_name();

/// The lines about exit codes for the end of --help.
std::string exit_code_help();

}  // namespace lamina::apps

#include "apps/support/command_line.h"

#include <charconv>
#include <cmath>
#include <span>
#include <string_view>
#include <system_error>

#include "core/error.h"

namespace lamina::apps {
namespace {

// CLI11 would take the argument that comes next.
void refuse_empty_values(const Console& console, int argc, const char* const* argv) {
  for (const std::string_view argument : std::span(argv, static_cast<std::size_t>(argc))) {
    if (argument == "--") {
      return;
    }
    if (argument.starts_with("--") && argument.find('=') == argument.size() - 1) {
      throw UsageError(text(argument, " has no value (see ", console.program(), " --help)"));
    }
  }
}

}  // namespace

Parsed parse(CLI::App& app, int argc, const char* const* argv, Console& console) {
  constexpr std::size_t kOptionColumns = 28;
  app.get_formatter()->column_width(kOptionColumns);
  app.set_version_flag("--version", text(console.program(), " (Lamina) ", LAMINA_VERSION),
                       "Print the version and exit");
  refuse_empty_values(console, argc, argv);
  try {
    app.parse(argc, argv);
    return Parsed::job;
  } catch (const CLI::CallForHelp&) {
    console.print(app.help());
  } catch (const CLI::CallForVersion& version) {
    console.print(text(version.what(), '\n'));
  } catch (const CLI::ParseError& error) {
    throw UsageError(text(error.what(), " (see ", console.program(), " --help)"));
  }
  return Parsed::answered;
}

CLI::Validator whole_number(std::size_t lowest, std::size_t highest) {
  const auto complaint = [lowest, highest](const std::string& value) -> std::string {
    std::size_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, failure] = std::from_chars(value.data(), end, number);
    const bool good =
        failure == std::errc{} && stop == end && number >= lowest && number <= highest;
    return good ? ""
                : text("must be a whole number from ", lowest, " to ", highest, ": got '", value,
                       "'");
  };
  return CLI::Validator(complaint, "");
}

CLI::Validator number_at_least(double lowest) {
  const auto complaint = [lowest](const std::string& value) -> std::string {
    double number = 0.0;
    const char* end = value.data() + value.size();
    const auto [stop, failure] = std::from_chars(value.data(), end, number);
    const bool good = failure == std::errc{} && stop == end && std::isfinite(number);
    return good && number >= lowest
               ? ""
               : text("must be a number of at least ", lowest, ": got '", value, "'");
  };
  return CLI::Validator(complaint, "");
}

CLI::Validator file_name() {
  const auto complaint = [](const std::string& value) -> std::string {
    return value.empty() ? "must be the name of a file: got ''" : "";
  };
  return CLI::Validator(complaint, "");
}

std::string exit_code_help() {
  return "Exit codes:\n"
         "  0    all done\n"
         "  1    something could not be done; standard error says what\n"
         "  2    the command line is wrong\n"
         "  130  stopped by Ctrl-C\n"
         "  143  stopped by SIGTERM\n";
}

}  // namespace lamina::apps

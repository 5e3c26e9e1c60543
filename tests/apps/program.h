#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lamina::test {

/// How a program is started. Its environment holds only PATH, LC_ALL=C.UTF-8, the tests' own
/// LAMINA_THREADS where it is set, and `environment`.
struct Command {
  std::vector<std::string> arguments;  ///< without the program's own name
  std::filesystem::path program = LAMINA_CLASSIFY;
  std::string input = {};                  ///< what standard input holds
  std::filesystem::path output_file = {};  ///< where standard output goes; empty: Result::out
  std::map<std::string, std::string> environment = {};
};

/// How it ended.
struct Result {
  int exit_code;  ///< 128 + the signal's number when one ended it
  std::string out, err;
};

/// Runs it to its end.
Result run(const Command& command);

/// Runs it and kills it, as the system does where memory is short, after that time, unless it has
/// ended by then.
Result run_and_kill(const Command& command, std::chrono::microseconds after);

/// Runs it with standard output and error on a terminal of that many columns, which is what `out`
/// then holds. Sends `interrupt_after` an interrupt, as Ctrl-C, once that text was seen.
struct TerminalCommand {
  std::vector<std::string> arguments;
  unsigned short columns = 80;
  std::string interrupt_after = {};
  std::filesystem::path program = LAMINA_CLASSIFY;
};
Result run_on_terminal(const TerminalCommand& command);

/// What a terminal shows after those bytes: its lines, with carriage returns and erased line ends
/// carried out.
std::vector<std::string> screen(const std::string& bytes);

}  // namespace lamina::test

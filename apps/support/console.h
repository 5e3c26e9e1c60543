#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "apps/support/exit_code.h"

namespace lamina::apps {

/// Standard output for results, standard error for messages, and on a terminal one status line
/// that stays below both. For one thread.
class Console {
 public:
  /// Messages begin with the name of the program.
  explicit Console(std::string program);
  ~Console() { set_status({}); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Writes all of `text` to standard output at once. Throws OutputClosed when its reader is gone
  /// and Error when it cannot be written, as on a full disk.
  void print(std::string_view text);

  /// Writes "program: message" and a line end to standard error.
  void report(std::string_view message);

  /// Writes `text` to standard error as it is.
  void remark(std::string_view text);

  /// True when standard error is a terminal, where the status line is shown.
  bool shows_status() const { return shows_status_; }

  /// Replaces the status line, cut to the terminal's width; empty text removes it. Does nothing
  /// unless shows_status().
  void set_status(std::string_view text);

  const std::string& program() const { return program_; }

 private:
  void erase_status();
  void draw_status();

  std::string program_;
  std::string status_;
  bool shows_status_;
  bool shares_terminal_;  // standard output goes there as well
};

/// Runs `job` and returns its exit code to the shell. Exceptions become messages: UsageError ends
/// with ExitCode::usage, OutputClosed quietly with success, others with ExitCode::failed.
int run(std::string program, const std::function<ExitCode(Console&)>& job);

}  // namespace lamina::apps

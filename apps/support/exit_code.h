#pragma once

#include <stdexcept>

namespace lamina::apps {

/// What a program of ours tells the shell.
enum class ExitCode {
  success = 0,
  failed = 1,         ///< the job, or a part of it, could not be done
  usage = 2,          ///< the command line is wrong; nothing was done
  interrupted = 130,  ///< stopped by Ctrl-C, as shells count: 128 + SIGINT
  terminated = 143,   ///< stopped by SIGTERM
};

/// A mistake on the command line or in the environment. Ends the program with ExitCode::usage.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Nobody reads standard output any more, as after `| head`. Ends the program quietly.
class OutputClosed : public std::runtime_error {
 public:
  OutputClosed() : std::runtime_error("standard output: closed by its reader") {}
};

}  // namespace lamina::apps

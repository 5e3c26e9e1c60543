#include "apps/support/console.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <unistd.h>
#include <utility>

#include "apps/support/terminal.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

constexpr std::string_view kEraseLine = "\r\x1b[K";

// Returns 0 or the errno of the write that failed.
int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      return errno;
    }
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return 0;
}

}  // namespace

Console::Console(std::string program)
    : program_(std::move(program)),
      shows_status_(is_terminal(STDERR_FILENO)),
      shares_terminal_(isatty(STDOUT_FILENO) != 0) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of write()
}

void Console::print(std::string_view text) {
  if (shares_terminal_) {
    erase_status();
  }
  const int failure = write_all(STDOUT_FILENO, text);
  if (failure == EPIPE) {
    throw OutputClosed();
  }
  check(failure == 0, "standard output: cannot be written: ", std::strerror(failure));
  if (shares_terminal_) {
    draw_status();
  }
}

void Console::report(std::string_view message) {
  remark(text(program_, ": ", printable(message), '\n'));
}

void Console::remark(std::string_view text) {
  erase_status();
  write_all(STDERR_FILENO, text);
  draw_status();
}

void Console::set_status(std::string_view text) {
  if (shows_status_ && text != status_) {
    erase_status();
    status_ = text;
    draw_status();
  }
}

void Console::erase_status() {
  if (!status_.empty()) {
    write_all(STDERR_FILENO, kEraseLine);
  }
}

void Console::draw_status() {
  if (!status_.empty()) {
    // The last column stays free: a full line would wrap, and one erasure would not be enough.
    const std::size_t columns = terminal_columns(STDERR_FILENO).value_or(80);
    write_all(STDERR_FILENO, clip(status_, columns - 1));
  }
}

int run(std::string program, const std::function<ExitCode(Console&)>& job) {
  Console console(std::move(program));
  ExitCode code = ExitCode::failed;
  try {
    code = job(console);
  } catch (const OutputClosed&) {
    code = ExitCode::success;
  } catch (const UsageError& error) {
    console.report(error.what());
    code = ExitCode::usage;
  } catch (const std::bad_alloc&) {
    console.report("out of memory");
  } catch (const std::exception& error) {
    console.report(error.what());
  }
  return static_cast<int>(code);
}

}  // namespace lamina::apps

#include "tests/apps/program.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <pty.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

#include "tests/support/folder.h"

namespace lamina::test {
namespace {

namespace fs = std::filesystem;

int exit_code_of(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

[[noreturn]] void execute(const fs::path& program, const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment) {
  const char* path = std::getenv("PATH");
  std::vector<std::string> variables = {std::string("PATH=") + (path != nullptr ? path : "")};
  for (const auto& [name, value] : environment) {
    variables.push_back(name + '=' + value);
  }
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (std::string& variable : variables) {
    envp.push_back(variable.data());
  }
  envp.push_back(nullptr);
  execve(program.c_str(), argv.data(), envp.data());
  _exit(127);
}

void redirect(int descriptor, const fs::path& path, int flags) {
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) {
    _exit(126);
  }
  close(file);
}

// Programs use as many threads as the tests are told to.
std::map<std::string, std::string> complete(std::map<std::string, std::string> environment) {
  environment.emplace("LC_ALL", "C.UTF-8");
  if (const char* threads = std::getenv("LAMINA_THREADS")) {
    environment.emplace("LAMINA_THREADS", threads);
  }
  return environment;
}

// `meanwhile` is called with the process while it runs.
Result finish(const Command& command, const std::function<void(pid_t)>& meanwhile) {
  const Folder folder;
  write_file(folder / "in", command.input);
  const fs::path out = command.output_file.empty() ? folder / "out" : command.output_file;
  const pid_t process = fork();
  if (process == 0) {
    redirect(STDIN_FILENO, folder / "in", O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT);
    redirect(STDERR_FILENO, folder / "err", O_WRONLY | O_CREAT);
    execute(command.program, command.arguments, complete(command.environment));
  }
  meanwhile(process);
  const int exit_code = exit_code_of(process);
  return {exit_code, command.output_file.empty() ? read_file(out) : "", read_file(folder / "err")};
}

}  // namespace

Result run(const Command& command) {
  return finish(command, [](pid_t) {});
}

Result run_and_kill(const Command& command, std::chrono::microseconds after) {
  return finish(command, [after](pid_t process) {
    std::this_thread::sleep_for(after);
    kill(process, SIGKILL);
  });
}

Result run_on_terminal(const TerminalCommand& command) {
  winsize size{.ws_row = 25, .ws_col = command.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  int terminal = -1;
  const pid_t process = forkpty(&terminal, nullptr, nullptr, &size);
  if (process == 0) {
    execute(command.program, command.arguments, complete({{"TERM", "xterm"}}));
  }
  Result result{};
  std::array<char, 4096> buffer{};
  bool interrupted = command.interrupt_after.empty();
  // Reading fails once the last writer is gone.
  for (ssize_t count; (count = read(terminal, buffer.data(), buffer.size())) > 0;) {
    result.out.append(buffer.data(), static_cast<std::size_t>(count));
    if (!interrupted && result.out.find(command.interrupt_after) != std::string::npos) {
      kill(process, SIGINT);
      interrupted = true;
    }
  }
  close(terminal);
  result.exit_code = exit_code_of(process);
  return result;
}

std::vector<std::string> screen(const std::string& bytes) {
  constexpr std::string_view kEraseToEnd = "\x1b[K";
  std::vector<std::string> lines(1);
  std::size_t column = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r') {
      column = 0;
    } else if (bytes[i] == '\n') {
      lines.emplace_back();
      column = 0;
    } else if (bytes.compare(i, kEraseToEnd.size(), kEraseToEnd) == 0) {
      lines.back().resize(column);
      i += kEraseToEnd.size() - 1;
    } else {
      lines.back().resize(std::max(lines.back().size(), column + 1));
      lines.back()[column++] = bytes[i];
    }
  }
  return lines;
}

}  // namespace lamina::test

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <spawn.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "core/error.h"
#include "core/parallel.h"
#include "models/load.h"
#include "nn/plan.h"

// How long a program takes to its first answer: processes are started that map a plan and run it
// once on a tensor, and timed from outside until they have ended; each also tells when it reached
// main, had mapped the plan and had its answer.
// `cold_start --once PLAN THREADS` is what is timed.
namespace {

using namespace lamina;

extern "C" char** environ;

constexpr std::size_t kProcesses = 40;
constexpr std::size_t kMostProcesses = 100'000;
constexpr const char* kUsage =
    "usage: cold_start WEIGHTS [PROCESSES]    PROCESSES: how many to start and time for each "
    "number "
    "of threads (default: %zu)\n";

struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Milliseconds on the clock that all processes share.
double now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

int answer_once(const std::string& path, std::size_t threads) {
  const double started = now();
  set_thread_count(threads);
  const nn::Plan plan = nn::load_plan(path);
  const double mapped = now();
  const Tensor y = plan(Tensor::full(plan.input_shape(), 0.25f));
  const double answered = now();
  std::printf("%.6f %.6f %.6f %.9g\n", started, mapped, answered, double{y.data()[0]});
  return 0;
}

struct Times {
  double main = 0.0, mapped = 0.0, answered = 0.0, ended = 0.0;  // since the process was started
};

Times time_process(const std::string& program, const std::string& plan, const char* threads) {
  int ends[2];
  check(pipe(ends) == 0, "no pipe: ", std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const char* arguments[] = {program.c_str(), "--once", plan.c_str(), threads, nullptr};
  pid_t child = 0;
  const double start = now();
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr,
                                 const_cast<char**>(arguments), environ);
  check(failed == 0, "cannot start ", program, ": ", std::strerror(failed));
  int status = 0;
  waitpid(child, &status, 0);
  const double end = now();
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  char line[200] = {};
  const ssize_t size = read(ends[0], line, sizeof line - 1);
  close(ends[0]);
  Times times;
  check(status == 0 && size > 0 &&
            std::sscanf(line, "%lf %lf %lf", &times.main, &times.mapped, &times.answered) == 3,
        "the process failed with status ", status);
  return {times.main - start, times.mapped - start, times.answered - start, end - start};
}

void print(const char* threads, const char* what, const std::vector<Times>& times,
           double Times::*member) {
  std::vector<double> values;
  for (const Times& one : times) {
    values.push_back(one.*member);
  }
  std::ranges::sort(values);
  std::printf("%s thread(s)  %-22s min %6.2f  median %6.2f  90 %% %6.2f ms\n", threads, what,
              values.front(), values[values.size() / 2], values[values.size() * 9 / 10]);
}

// While it lives, signals that would end the program wait.
class HoldSignals {
 public:
  HoldSignals() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before_);
  }
  ~HoldSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  HoldSignals(const HoldSignals&) = delete;
  HoldSignals& operator=(const HoldSignals&) = delete;

 private:
  sigset_t before_;
};

// A saved plan without a name, open here and in the processes started: gone with the last of them,
// however they end.
class NamelessPlan {
 public:
  explicit NamelessPlan(const nn::Plan& plan) {
    const char* folder = std::getenv("TMPDIR");
    const std::string place = folder == nullptr ? "/tmp" : folder;
    std::string name = place + "/cold_start.XXXXXX";
    const HoldSignals hold;
    const int made = mkstemp(name.data());
    check(made >= 0, "TMPDIR: must be a folder to write to: ", place, ": ", std::strerror(errno));
    close(made);
    try {
      plan.save(name);
      descriptor_ = open(name.c_str(), O_RDONLY);
    } catch (...) {
      unlink(name.c_str());
      throw;
    }
    unlink(name.c_str());
    check(descriptor_ >= 0, name, ": cannot be opened");
  }
  ~NamelessPlan() { close(descriptor_); }
  NamelessPlan(const NamelessPlan&) = delete;
  NamelessPlan& operator=(const NamelessPlan&) = delete;

  // For this process and those it starts.
  std::string path() const { return text("/proc/self/fd/", descriptor_); }

 private:
  int descriptor_ = -1;
};

struct Job {
  std::string weights;
  std::size_t processes = kProcesses;
};

int time_processes(const std::string& program, const Job& job) {
  const models::Classifier classifier = models::read_classifier(job.weights);
  const NamelessPlan plan(nn::compile(nn::trace(*classifier.net, classifier.input_shape())));
  std::printf("plan of %ju bytes\n",
              static_cast<std::uintmax_t>(std::filesystem::file_size(plan.path())));
  std::fflush(stdout);
  for (const char* threads : {"1", "2"}) {
    std::vector<Times> times;
    for (std::size_t i = 0; i < job.processes; ++i) {
      times.push_back(time_process(program, plan.path(), threads));
    }
    print(threads, "main reached", times, &Times::main);
    print(threads, "plan mapped", times, &Times::mapped);
    print(threads, "first answer", times, &Times::answered);
    print(threads, "process ended", times, &Times::ended);
  }
  return 0;
}

std::size_t read_processes(const std::string& value) {
  std::size_t processes = 0;
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, processes);
  if (failure != std::errc{} || stop != end || processes == 0 || processes > kMostProcesses) {
    throw UsageError(
        text("PROCESSES must be a whole number from 1 to ", kMostProcesses, ": got '", value, "'"));
  }
  return processes;
}

// Nothing when help was asked for.
std::optional<Job> read_job(const std::vector<std::string>& arguments) {
  constexpr std::string_view kDigits = "0123456789";
  for (const std::string& argument : arguments) {
    if (argument == "--help") {
      return std::nullopt;
    }
    if (argument.size() > 1 && argument[0] == '-' &&
        kDigits.find(argument[1]) == std::string_view::npos) {
      throw UsageError(text("unknown option ", argument, " (see cold_start --help)"));
    }
  }
  if (arguments.empty() || arguments.size() > 2) {
    throw UsageError(text("WEIGHTS and at most PROCESSES are expected: got ", arguments.size(),
                          " arguments (see cold_start --help)"));
  }
  Job job{.weights = arguments[0]};
  if (arguments.size() == 2) {
    job.processes = read_processes(arguments[1]);
  }
  return job;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 3 && arguments[0] == "--once") {
      return answer_once(arguments[1], std::stoul(arguments[2]));
    }
    if (const std::optional<Job> job = read_job(arguments)) {
      return time_processes("/proc/self/exe", *job);
    }
    std::printf(kUsage, kProcesses);
    return 0;
  } catch (const UsageError& error) {
    std::fprintf(stderr, "cold_start: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cold_start: %s\n", error.what());
    return 1;
  }
}

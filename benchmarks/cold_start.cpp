#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <string>
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
// usage: cold_start WEIGHTS [PROCESSES]          makes a plan of the weights, times it
//        cold_start --once PLAN THREADS          what is timed
namespace {

using namespace lamina;

extern "C" char** environ;

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
  check(pipe(ends) == 0, "cold_start: no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  const char* arguments[] = {program.c_str(), "--once", plan.c_str(), threads, nullptr};
  pid_t child = 0;
  const double start = now();
  const int failed = posix_spawn(&child, program.c_str(), &actions, nullptr,
                                 const_cast<char**>(arguments), environ);
  check(failed == 0, "cold_start: cannot start ", program);
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
        "cold_start: the process failed with status ", status);
  return {times.main - start, times.mapped - start, times.answered - start, end - start};
}

void print(const char* threads, const char* what, std::vector<Times> times, double Times::*member) {
  std::vector<double> values;
  for (const Times& one : times) {
    values.push_back(one.*member);
  }
  std::ranges::sort(values);
  std::printf("%s thread(s)  %-22s min %6.2f  median %6.2f  90 %% %6.2f ms\n", threads, what,
              values.front(), values[values.size() / 2], values[values.size() * 9 / 10]);
}

int time_processes(const std::string& program, const std::string& weights, std::size_t processes) {
  const std::string path = std::filesystem::temp_directory_path() / text("cold_start.", getpid());
  const models::Classifier classifier = models::read_classifier(weights);
  nn::compile(nn::trace(*classifier.net, classifier.input_shape())).save(path);
  std::printf("plan of %ju bytes\n", static_cast<std::uintmax_t>(std::filesystem::file_size(path)));
  for (const char* threads : {"1", "2"}) {
    std::vector<Times> times;
    for (std::size_t i = 0; i < processes; ++i) {
      times.push_back(time_process(program, path, threads));
    }
    print(threads, "main reached", times, &Times::main);
    print(threads, "plan mapped", times, &Times::mapped);
    print(threads, "first answer", times, &Times::answered);
    print(threads, "process ended", times, &Times::ended);
  }
  std::filesystem::remove(path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::strcmp(argv[1], "--once") == 0) {
      return answer_once(argv[2], std::stoul(argv[3]));
    }
    if (argc == 2 || argc == 3) {
      return time_processes("/proc/self/exe", argv[1], argc == 3 ? std::stoul(argv[2]) : 40);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cold_start: %s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "usage: cold_start WEIGHTS [PROCESSES]\n");
  return 2;
}

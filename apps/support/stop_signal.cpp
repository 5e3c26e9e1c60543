#include "apps/support/stop_signal.h"

#include <atomic>
#include <csignal>

namespace lamina::apps {
namespace {

std::atomic<int> received_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "signal handlers may not lock");

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int signal) { received_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (const int signal : {SIGINT, SIGTERM}) {
    sigaction(signal, &action, nullptr);
  }
}

bool stop_requested() { return received_signal != 0; }

ExitCode stop_exit_code() {
  return received_signal == SIGTERM ? ExitCode::terminated : ExitCode::interrupted;
}

}  // namespace lamina::apps

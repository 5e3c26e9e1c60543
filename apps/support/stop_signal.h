#pragma once

#include "apps/support/exit_code.h"

namespace lamina::apps {

/// From now on the first Ctrl-C or SIGTERM only asks to stop; the second ends the process.
void catch_stop_signals();

/// True once a signal has asked to stop. For any thread.
bool stop_requested();

/// The exit code that goes with the signal: interrupted or terminated.
ExitCode stop_exit_code();

}  // namespace lamina::apps

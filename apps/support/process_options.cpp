#include "apps/support/process_options.h"

#include "apps/support/command_line.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/isa.h"

namespace lamina::apps {

void declare_process(CLI::App& app, ProcessOptions& process) {
  app.add_option("--isa", process.isa, "Instruction set of the kernels (default: the fastest here)")
      ->type_name("NAME");
  app.add_option("--threads", process.threads, "Threads of the network (default: all CPUs)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
}

void apply(const ProcessOptions& process) {
  try {
    if (process.isa.empty()) {
      nn::isa();
    } else {
      nn::set_isa(process.isa);
    }
    if (process.threads == 0) {
      thread_count();
    } else {
      set_thread_count(process.threads);
    }
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

}  // namespace lamina::apps

#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string>

namespace lamina::apps {

/// What a command line says of the process, not of the job.
struct ProcessOptions {
  std::string isa;          ///< empty: LAMINA_ISA, or the fastest
  std::size_t threads = 0;  ///< 0: LAMINA_THREADS, or all CPUs
};

/// Declares --isa and --threads.
void declare_process(CLI::App& app, ProcessOptions& process);

/// Sets the process's instruction set and threads. Throws UsageError, also for what the environment
/// says where the command line says nothing.
void apply(const ProcessOptions& process);

}  // namespace lamina::apps

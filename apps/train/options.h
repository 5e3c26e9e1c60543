#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/support/console.h"
#include "apps/train/recipe.h"

namespace lamina::apps {

/// What begins a training: nothing yet, or its own checkpoint.
enum class Start { fresh, resume, restart };

/// The command line of train, and the files that it names.
struct TrainOptions {
  std::string data;           ///< a folder, or the word of a data set
  std::filesystem::path out;  ///< the model
  Recipe recipe;
  Start start = Start::fresh;
  double checkpoint_minutes = 10.0;  ///< 0: after epochs only
  std::size_t log_steps = 50;
  std::filesystem::path log;       ///< OUT.jsonl
  std::size_t loader_threads = 1;  ///< that decode and augment
  std::string command;             ///< as it was typed, for the model's card

  std::filesystem::path checkpoint() const { return beside(".checkpoint.safetensors"); }
  std::filesystem::path curves() const { return beside(".png"); }
  std::filesystem::path card() const { return beside(".md"); }
  /// OUT without ".safetensors" and with `ending` instead.
  std::filesystem::path beside(const std::string& ending) const;
};

/// Reads the command line over the config file over, to resume, the checkpoint's recipe; applies
/// --threads and --isa to the process. Empty when --help or --version has been answered. Throws
/// UsageError, also when the checkpoint is missing or has another recipe.
std::optional<TrainOptions> read_options(int argc, const char* const* argv, Console& console);

}  // namespace lamina::apps

#include "apps/train/options.h"

#include <algorithm>
#include <span>
#include <utility>

#include "apps/support/command_line.h"
#include "apps/support/process_options.h"
#include "apps/train/checkpoint.h"
#include "apps/train/ingredients.h"
#include "core/error.h"
#include "core/parallel.h"

namespace lamina::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelEnding = ".safetensors";
constexpr std::size_t kMaxLogSteps = 1'000'000;

constexpr const char* kExamples =
    "DATA is a folder of pictures (a folder for each class, or train/ and val/ of such), of IDX\n"
    "files (MNIST's form) or of CIFAR-10's binary files, or the word fashion-mnist for the files\n"
    "of Debian's package dataset-fashion-mnist.\n\n"
    "Examples:\n"
    "  train fashion-mnist --config models/recipes/fashion-mnist.json --out fashion.safetensors\n"
    "  train photos/ --init mobilenet_v2.safetensors --freeze backbone --hold-out 50 \\\n"
    "        --out mine.safetensors\n"
    "  train photos/ --out mine.safetensors --resume\n\n"
    "Config files are JSON objects whose keys are the names of the options below Network,\n"
    "Pictures, Training and Optimizer; the command line wins.\n\n"
    "Writes OUT and, named after it, .checkpoint.safetensors while training, .jsonl (the log),\n"
    ".png (curves) and .md (the model's card).\n\n";

// A setting as the command line gives it.
using Given = std::vector<std::pair<const Setting*, std::string>>;

struct Flags {
  bool resume = false, restart = false;
  std::string config;
};

void declare_settings(CLI::App& app, Given& given) {
  const Recipe usual;
  for (const Setting& setting : settings()) {
    const std::string value = value_of(usual, setting);
    app.add_option_function<std::string>(
           text("--", setting.name),
           [&given, &setting](const std::string& typed) { given.emplace_back(&setting, typed); },
           setting.help)
        ->type_name(setting.type)
        ->default_str(value == "0" ? "" : value)
        ->group(setting.group)
        ->take_last();
  }
}

void declare_job(CLI::App& app, TrainOptions& options, Flags& flags) {
  app.add_option("DATA", options.data, "Pictures to train with")->required()->type_name("");
  app.add_option("--out", options.out, "The model to write (.safetensors)")
      ->required()
      ->type_name("FILE")
      ->check(file_name());
  app.add_option("--config", flags.config, "Settings from a JSON file")
      ->type_name("FILE")
      ->check(file_name());
  app.add_flag("--resume", flags.resume, "Go on from the checkpoint, with its settings");
  app.add_flag("--restart", flags.restart, "Begin anew although there is a checkpoint");
  app.add_option("--checkpoint-minutes", options.checkpoint_minutes,
                 "Keep a checkpoint every so many minutes; 0: after epochs only")
      ->type_name("N")
      ->capture_default_str()
      ->check(number_at_least(0.0));
  app.add_option("--log", options.log, "The log, JSON lines (default: OUT.jsonl)")
      ->type_name("FILE")
      ->check(file_name());
  app.add_option("--log-steps", options.log_steps, "Steps between its lines")
      ->type_name("N")
      ->capture_default_str()
      ->check(whole_number(1, kMaxLogSteps));
  app.add_option("--loader-threads", options.loader_threads,
                 "Threads that decode and augment (default: as --threads, 4 at most)")
      ->type_name("N")
      ->check(whole_number(1, kMaxThreads));
}

Start start_of(const Flags& flags) {
  if (flags.resume && flags.restart) {
    throw UsageError("--resume: does not go with --restart: one goes on, the other begins anew");
  }
  return flags.resume ? Start::resume : flags.restart ? Start::restart : Start::fresh;
}

void apply(const Given& given, Recipe& recipe) {
  for (const auto& [setting, value] : given) {
    try {
      assign(recipe, *setting, value);
    } catch (const Error& error) {
      throw UsageError(text("--", error.what(), " (see train --help)"));
    }
  }
}

void check_same_recipe(const TrainOptions& options, const Recipe& kept) {
  if (const Setting* other = first_difference(options.recipe, kept)) {
    throw UsageError(text(options.checkpoint().string(), ": is of another training: its ",
                          other->name, " is '", value_of(kept, *other), "', now it is '",
                          value_of(options.recipe, *other), "'"));
  }
}

void choose_recipe(const Given& given, const Flags& flags, TrainOptions& options) {
  const bool resumes = options.start == Start::resume;
  if (resumes && !fs::exists(options.checkpoint())) {
    throw UsageError(text("--resume: there is no checkpoint ", options.checkpoint().string(),
                          ": leave --resume out to begin"));
  }
  const Recipe kept = resumes ? read_checkpoint(options.checkpoint()).state.recipe : Recipe{};
  options.recipe = kept;
  if (!flags.config.empty()) {
    read_config(flags.config, options.recipe);
  }
  apply(given, options.recipe);
  if (resumes) {
    check_same_recipe(options, kept);
  }
  check_recipe(options.recipe);
}

std::string quoted(std::string_view argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./,:+@%";
  const bool plain = !argument.empty() && argument.find_first_not_of(kPlain) == argument.npos;
  return plain ? std::string(argument) : text('\'', argument, '\'');
}

std::string command_line(std::span<const char* const> arguments) {
  std::string line = "train";
  for (const char* argument : arguments.subspan(1)) {
    line += ' ' + quoted(argument);
  }
  return line;
}

}  // namespace

fs::path TrainOptions::beside(const std::string& ending) const {
  fs::path path = out;
  return path.replace_extension(ending);
}

std::optional<TrainOptions> read_options(int argc, const char* const* argv, Console& console) {
  TrainOptions options;
  Flags flags;
  ProcessOptions process;
  Given given;
  CLI::App app("Trains a MobileNetV2 on labeled pictures.", "train");
  declare_job(app, options, flags);
  declare_settings(app, given);
  declare_process(app, process);
  app.footer(text(kExamples, exit_code_help()));
  options.loader_threads = 0;
  if (parse(app, argc, argv, console) == Parsed::answered) {
    return std::nullopt;
  }
  if (options.out.extension() != kModelEnding) {
    throw UsageError(
        text("--out: must end in ", kModelEnding, ": got '", options.out.string(), "'"));
  }
  apply(process);
  if (options.loader_threads == 0) {
    options.loader_threads = std::min<std::size_t>(thread_count(), 4);
  }
  options.start = start_of(flags);
  options.log = options.log.empty() ? options.beside(".jsonl") : options.log;
  options.command = command_line({argv, static_cast<std::size_t>(argc)});
  choose_recipe(given, flags, options);
  return options;
}

}  // namespace lamina::apps

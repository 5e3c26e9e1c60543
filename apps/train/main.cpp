// Trains a network: one line of prose a step.
#include <optional>

#include "apps/support/console.h"
#include "apps/support/stop_signal.h"
#include "apps/train/checkpoint.h"
#include "apps/train/course.h"
#include "apps/train/network.h"
#include "apps/train/options.h"
#include "apps/train/outputs.h"
#include "apps/train/pictures.h"
#include "apps/train/precise_norm.h"
#include "apps/train/report.h"
#include "apps/train/trainer.h"
#include "core/denormals.h"
#include "core/error.h"

namespace lamina::apps {
namespace {

// The checkpoint to go on from, which must be of these pictures; empty: begin.
std::optional<TrainingCheckpoint> find_start(const TrainOptions& options,
                                             const TrainingPictures& pictures) {
  if (options.start != Start::resume) {
    remove_leftovers(options);
    return std::nullopt;
  }
  TrainingCheckpoint checkpoint = read_checkpoint(options.checkpoint());
  check(checkpoint.state.data == pictures.identity(), options.checkpoint().string(),
        ": is of other pictures: it has ", checkpoint.state.data, "; ", options.data, " has ",
        pictures.identity());
  return checkpoint;
}

void introduce(const Recipe& recipe, const TrainingPictures& pictures, const NewNetwork& network,
               Console& console) {
  for (const std::string& remark : network.remarks) {
    console.report(remark);
  }
  console.print(introduction(recipe, pictures, *network.net));
}

void start(Trainer& trainer, const std::optional<TrainingCheckpoint>& checkpoint,
           const LogStart& facts, Console& console) {
  if (checkpoint) {
    trainer.resume(*checkpoint);
    console.print(text("going on after ", trainer.state().step, " steps\n"));
  } else {
    trainer.begin(facts);
  }
}

ExitCode stopped(const TrainOptions& options, Console& console, const TrainingState& state) {
  console.report(text("stopped in epoch ", state.position.epoch + 1, " after ", state.step,
                      " steps: go on with --resume; all is kept in ",
                      options.checkpoint().string()));
  return stop_exit_code();
}

// The weights as they will be used, and how good they are.
std::optional<Scores> final_scores(Trainer& trainer, const Recipe& recipe, const Subject& subject) {
  trainer.take_average();
  if (recipe.precise_norm > 0) {
    recompute_statistics(subject.module, subject.training, recipe.precise_norm);
    return trainer.evaluate_now();
  }
  return trainer.scores() ? trainer.scores() : trainer.evaluate_now();
}

ExitCode main_program(int argc, char** argv, Console& console) {
  const auto options = read_options(argc, argv, console);
  if (!options) {
    return ExitCode::success;
  }
  catch_stop_signals();
  check_outputs(*options);
  Recipe recipe = options->recipe;
  const TrainingPictures pictures = open_pictures(options->data, recipe);
  NewNetwork network = make_network(recipe, *pictures.training);
  introduce(recipe, pictures, network, console);
  const auto checkpoint = find_start(*options, pictures);
  const auto course = prepare(*options, recipe, pictures, network, console);
  if (!course) {
    console.report("stopped before the first step");
    return stop_exit_code();
  }
  const FlushDenormals flush(FlushDenormals::current());  // decaying weights are full of them
  Trainer trainer(*options, recipe, *course->subject, console);
  start(trainer, checkpoint, log_start(recipe, pictures, *network.net), console);
  if (trainer.run() == Ending::stopped) {
    return stopped(*options, console, trainer.state());
  }
  const auto scores = final_scores(trainer, recipe, *course->subject);
  if (!scores) {
    return stopped(*options, console, trainer.state());
  }
  trainer.log_end(*scores, pictures);
  network.net->eval();
  write_all({*options, recipe, pictures, network, *scores, trainer.state()}, console);
  remove_leftovers(*options);
  return ExitCode::success;
}

}  // namespace
}  // namespace lamina::apps

int main(int argc, char** argv) {
  using namespace lamina::apps;
  return run("train", [&](Console& console) { return main_program(argc, argv, console); });
}

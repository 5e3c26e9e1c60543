#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "apps/support/console.h"
#include "apps/support/timing.h"
#include "apps/train/checkpoint.h"
#include "apps/train/display.h"
#include "apps/train/evaluation.h"
#include "apps/train/fault.h"
#include "apps/train/log.h"
#include "apps/train/options.h"
#include "apps/train/pictures.h"
#include "apps/train/source.h"
#include "nn/ema.h"
#include "nn/schedule.h"

namespace lamina::apps {

/// What is trained, and on what.
struct Subject {
  nn::Module& net;     ///< all of it: what checkpoints hold
  nn::Module& module;  ///< what the batches go through and the optimizer moves: net, or its head
  std::size_t classes;
  Source& training;
  Source& validation;
  std::function<Forward()> compile;  ///< the module in evaluation, as it is now
};

enum class Ending { finished, stopped };

/// The loop: steps, epochs, evaluations, checkpoints.
class Trainer {
 public:
  /// `options.recipe` is kept in checkpoints; `recipe` is the same with nothing left open. Throws
  /// Error when the log cannot be written.
  Trainer(const TrainOptions& options, const Recipe& recipe, const Subject& subject,
          Console& console);

  /// Where a new training begins: writes the first checkpoint, so that there always is one.
  void begin(const LogStart& start);

  /// Goes on where the checkpoint stands. Throws Error when it does not fit.
  void resume(const TrainingCheckpoint& checkpoint);

  /// Trains to the end, or until a signal asks to stop: a checkpoint holds everything then. Throws
  /// Error, the last checkpoint kept, when the loss or a gradient is not finite, or a picture
  /// cannot be read.
  Ending run();

  /// Puts the average in place of the weights, where there is one, for good.
  void take_average();

  const TrainingState& state() const { return state_; }
  /// Those of the last epoch; empty when this process did not see its end.
  const std::optional<Scores>& scores() const { return scores_; }
  std::optional<Scores> evaluate_now();

  /// The last line of the log. Throws Error when it cannot be written.
  void log_end(const Scores& scores, const TrainingPictures& pictures);

 private:
  bool train_epoch();
  void step(const data::Batch& batch);
  void update_weights(const data::Batch& batch);
  void count(const data::Batch& batch, const Tensor& logits, double loss);
  void show();
  void log_steps();
  bool end_epoch();
  std::optional<Scores> evaluate_average();
  void save();
  std::string where() const;
  [[noreturn]] void fail(Fault fault, double value, const Tensor& input);
  double seconds() const { return seconds_before_ + started_.seconds(); }

  const TrainOptions& options_;
  Recipe recipe_;
  Subject subject_;
  Console& console_;
  nn::Schedule schedule_;
  std::unique_ptr<nn::Optimizer> optimizer_;
  std::unique_ptr<nn::Ema> ema_;
  std::unique_ptr<Log> log_;
  Display display_;
  TrainingState state_;
  std::optional<Scores> scores_;

  Stopwatch started_, saved_, stepped_;
  double seconds_before_ = 0.0;  // of earlier processes
  struct Window {
    double loss = 0.0;
    std::size_t steps = 0, right = 0, pictures = 0;
    Stopwatch watch;
  } window_;  // since the last line of the log
};

}  // namespace lamina::apps

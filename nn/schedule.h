#pragma once

#include <cstddef>

namespace lamina::nn {

enum class ScheduleKind {
  constant,     ///< rate
  step,         ///< rate step_factor^floor(e / step_epochs)
  exponential,  ///< rate epoch_factor^floor(e), the paper's
  cosine,       ///< final_rate + (rate - final_rate) (1 + cos(pi s / S)) / 2
  one_cycle,    ///< in halves of a cosine from rate / initial_divisor up to rate, which is reached
                ///< at s = rise S - 1, and down to rate / initial_divisor / final_divisor at S - 1
};

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::constant;
  double rate;  ///< the highest
  double warmup_epochs = 0.0;
  double warmup_from = 0.01;  ///< share of the rate at which the warm-up starts
  double step_factor = 0.1;
  double step_epochs = 30.0;
  double epoch_factor = 0.98;
  double final_rate = 0.0;
  double rise = 0.3;  ///< share of the steps
  double initial_divisor = 25.0;
  double final_divisor = 1e4;
};

/// How long a training is.
struct TrainingLength {
  std::size_t epochs, steps_per_epoch;
};

/// The learning rate of each step: a function of the step's number alone, so that a resumed
/// training needs no state of it.
///
/// A warm-up of W = round(warmup_epochs steps_per_epoch) steps comes first and the schedule starts
/// after it, as if the training began there: it sees s = step - W, e = s / steps_per_epoch and
/// S = all steps - W. The warm-up is linear, to the rate that the schedule starts with:
///   rate(step) = rate(W) (warmup_from + (1 - warmup_from) step / W) for step < W.
class Schedule {
 public:
  /// Throws Error when a rate is negative or not finite, a factor, share or divisor out of range,
  /// the training has no steps, or the warm-up leaves none.
  Schedule(const ScheduleOptions& options, const TrainingLength& length);

  /// The rate of that step, the first being 0. Steps past the end have the last one's.
  double rate(std::size_t step) const;

  const ScheduleOptions& options() const { return options_; }
  std::size_t warmup_steps() const { return warmup_steps_; }
  std::size_t steps() const { return length_.epochs * length_.steps_per_epoch; }

 private:
  double after_warmup(std::size_t step) const;
  double one_cycle(double step, double steps) const;

  ScheduleOptions options_;
  TrainingLength length_;
  std::size_t warmup_steps_;
};

}  // namespace lamina::nn

#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "nn/optim/checks.h"

namespace lamina::nn {
namespace {

void check_between(const char* what, double value, double lo, double hi) {
  check(value >= lo && value <= hi, "Schedule: ", what, " must be from ", lo, " to ", hi, ": got ",
        value);
}

void check_at_least_one(const char* what, double value) {
  check(value >= 1.0 && std::isfinite(value), "Schedule: ", what,
        " must be at least 1 and finite: got ", value);
}

void check_factor(const char* what, double value) {
  check(value > 0.0 && value <= 1.0, "Schedule: ", what, " must be above 0 and at most 1: got ",
        value);
}

void check_options(const ScheduleOptions& options) {
  check_not_negative("Schedule", "rate", options.rate);
  check_not_negative("Schedule", "final_rate", options.final_rate);
  check_not_negative("Schedule", "warmup_epochs", options.warmup_epochs);
  check_between("warmup_from", options.warmup_from, 0.0, 1.0);
  check_between("rise", options.rise, 0.0, 1.0);
  check_factor("step_factor", options.step_factor);
  check_factor("epoch_factor", options.epoch_factor);
  check_positive("Schedule", "step_epochs", options.step_epochs);
  check_at_least_one("initial_divisor", options.initial_divisor);
  check_at_least_one("final_divisor", options.final_divisor);
}

void check_length(const TrainingLength& length) {
  constexpr std::size_t kMaxSteps = std::numeric_limits<std::size_t>::max() >> 12;  // a double's
  const auto [epochs, steps_per_epoch] = length;
  check(epochs > 0 && steps_per_epoch > 0 && epochs <= kMaxSteps / steps_per_epoch,
        "Schedule: a training must have from 1 to ", kMaxSteps, " steps: got ", epochs,
        " epochs of ", steps_per_epoch);
}

// Half of a cosine, from `from` where share is 0 to `to` where it is 1.
double cosine_between(double from, double to, double share) {
  return to + (from - to) * (1.0 + std::cos(std::numbers::pi * share)) / 2.0;
}

}  // namespace

Schedule::Schedule(const ScheduleOptions& options, const TrainingLength& length)
    : options_(options), length_(length), warmup_steps_(0) {
  check_options(options);
  check_length(length);
  const double warmup =
      std::round(options.warmup_epochs * static_cast<double>(length.steps_per_epoch));
  check(warmup < static_cast<double>(steps()), "Schedule: the warm-up must leave steps: it takes ",
        warmup, " of ", steps());
  warmup_steps_ = static_cast<std::size_t>(warmup);
}

double Schedule::rate(std::size_t step) const {
  if (step >= warmup_steps_) {
    return after_warmup(std::min(step, steps() - 1) - warmup_steps_);
  }
  const double from = options_.warmup_from;
  const double share = static_cast<double>(step) / static_cast<double>(warmup_steps_);
  return after_warmup(0) * (from + (1.0 - from) * share);
}

double Schedule::after_warmup(std::size_t step) const {
  const auto done = static_cast<double>(step);
  const auto all = static_cast<double>(steps() - warmup_steps_);
  const double epoch = done / static_cast<double>(length_.steps_per_epoch);
  const auto& [kind, rate, warmup_epochs, warmup_from, step_factor, step_epochs, epoch_factor,
               final_rate, rise, initial_divisor, final_divisor] = options_;
  switch (kind) {
    case ScheduleKind::step:
      return rate * std::pow(step_factor, std::floor(epoch / step_epochs));
    case ScheduleKind::exponential:
      return rate * std::pow(epoch_factor, std::floor(epoch));
    case ScheduleKind::cosine:
      return cosine_between(rate, final_rate, done / all);
    case ScheduleKind::one_cycle:
      return one_cycle(done, all);
    case ScheduleKind::constant:
      break;
  }
  return rate;
}

double Schedule::one_cycle(double step, double steps) const {
  const auto& options = options_;
  const double first = options.rate / options.initial_divisor;
  const double top = std::max(0.0, options.rise * steps - 1.0);
  if (step < top) {
    return cosine_between(first, options.rate, step / top);
  }
  const double down = steps - 1.0 - top;
  return down > 0.0
             ? cosine_between(options.rate, first / options.final_divisor, (step - top) / down)
             : options.rate;
}

}  // namespace lamina::nn

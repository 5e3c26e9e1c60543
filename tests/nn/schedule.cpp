#include "nn/schedule.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "tests/support/expect_error.h"

namespace lamina {
namespace {

using nn::Schedule;
using nn::ScheduleKind;

constexpr nn::TrainingLength kLength = {.epochs = 10, .steps_per_epoch = 5};

TEST(Schedule, PapersRateFallsOncePerEpoch) {
  const Schedule schedule({.kind = ScheduleKind::exponential, .rate = 0.045}, kLength);
  EXPECT_EQ(schedule.rate(4), 0.045);
  EXPECT_DOUBLE_EQ(schedule.rate(5), 0.045 * 0.98);
  EXPECT_DOUBLE_EQ(schedule.rate(49), 0.045 * std::pow(0.98, 9));
}

TEST(Schedule, StepsMayBeFractionsOfEpochs) {
  const Schedule schedule(
      {.kind = ScheduleKind::step, .rate = 1.0, .step_factor = 0.5, .step_epochs = 2.5}, kLength);
  EXPECT_EQ(schedule.rate(12), 1.0);
  EXPECT_EQ(schedule.rate(13), 0.5);
  EXPECT_EQ(schedule.rate(25), 0.25);
}

TEST(Schedule, WarmupEndsWhereTheScheduleStarts) {
  for (const ScheduleKind kind :
       {ScheduleKind::constant, ScheduleKind::step, ScheduleKind::exponential, ScheduleKind::cosine,
        ScheduleKind::one_cycle}) {
    const Schedule plain({.kind = kind, .rate = 0.4}, {.epochs = 8, .steps_per_epoch = 5});
    const Schedule warmed({.kind = kind, .rate = 0.4, .warmup_epochs = 2, .warmup_from = 0.25},
                          kLength);
    EXPECT_EQ(warmed.warmup_steps(), 10u);
    EXPECT_DOUBLE_EQ(warmed.rate(0), 0.25 * plain.rate(0));
    EXPECT_DOUBLE_EQ(warmed.rate(4), (0.25 + 0.75 * 0.4) * plain.rate(0));
    for (std::size_t step = 0; step < 40; ++step) {
      EXPECT_EQ(warmed.rate(10 + step), plain.rate(step));
    }
  }
}

TEST(Schedule, OneCycleAlsoAfterAWarmupPeaksOnceAndEndsLow) {
  const Schedule schedule(
      {.kind = ScheduleKind::one_cycle, .rate = 1.0, .warmup_epochs = 1, .rise = 0.2}, kLength);
  EXPECT_NEAR(schedule.rate(5), 0.04, 1e-15);
  EXPECT_EQ(schedule.rate(5 + 8), 1.0);
  EXPECT_DOUBLE_EQ(schedule.rate(49), 0.04 / 1e4);
}

TEST(Schedule, OneCycleMayRiseAllTheWayOrNotAtAll) {
  const auto rate = [](double rise, std::size_t step) {
    return Schedule({.kind = ScheduleKind::one_cycle, .rate = 1.0, .rise = rise}, kLength)
        .rate(step);
  };
  EXPECT_EQ(rate(0.0, 0), 1.0);
  EXPECT_DOUBLE_EQ(rate(0.0, 49), 0.04 / 1e4);
  EXPECT_NEAR(rate(1.0, 0), 0.04, 1e-15);
  EXPECT_EQ(rate(1.0, 49), 1.0);
  const Schedule single({.kind = ScheduleKind::one_cycle, .rate = 1.0},
                        {.epochs = 1, .steps_per_epoch = 1});
  EXPECT_EQ(single.rate(0), 1.0);
}

TEST(Schedule, StepsPastTheEndHaveTheLastRate) {
  const Schedule schedule({.kind = ScheduleKind::cosine, .rate = 1.0}, kLength);
  EXPECT_EQ(schedule.rate(1000), schedule.rate(49));
  EXPECT_LT(schedule.rate(49), schedule.rate(48));
}

TEST(Schedule, OptionsMustBeInRange) {
  const auto make = [](const nn::ScheduleOptions& options) { Schedule(options, kLength); };
  test::expect_error([&] { make({.rate = -1.0}); },
                     "Schedule: rate must be at least 0 and finite: got -1");
  test::expect_error([&] { make({.rate = std::numeric_limits<double>::quiet_NaN()}); },
                     "Schedule: rate must be at least 0 and finite: got nan");
  test::expect_error([&] { make({.rate = 1.0, .warmup_epochs = -2.0}); },
                     "Schedule: warmup_epochs must be at least 0 and finite: got -2");
  test::expect_error([&] { make({.rate = 1.0, .warmup_from = 1.5}); },
                     "Schedule: warmup_from must be from 0 to 1: got 1.5");
  test::expect_error([&] { make({.rate = 1.0, .step_factor = 0.0}); },
                     "Schedule: step_factor must be above 0 and at most 1: got 0");
  test::expect_error([&] { make({.rate = 1.0, .step_epochs = 0.0}); },
                     "Schedule: step_epochs must be above 0 and finite: got 0");
  test::expect_error([&] { make({.rate = 1.0, .epoch_factor = 1.1}); },
                     "Schedule: epoch_factor must be above 0 and at most 1: got 1.1");
  test::expect_error([&] { make({.rate = 1.0, .final_rate = -0.5}); },
                     "Schedule: final_rate must be at least 0 and finite: got -0.5");
  test::expect_error([&] { make({.rate = 1.0, .rise = 2.0}); },
                     "Schedule: rise must be from 0 to 1: got 2");
  test::expect_error([&] { make({.rate = 1.0, .initial_divisor = 0.5}); },
                     "Schedule: initial_divisor must be at least 1 and finite: got 0.5");
  test::expect_error([&] { make({.rate = 1.0, .final_divisor = 0.0}); },
                     "Schedule: final_divisor must be at least 1 and finite: got 0");
}

TEST(Schedule, TrainingMustHaveStepsAfterTheWarmup) {
  test::expect_error([] { Schedule({.rate = 1.0}, {.epochs = 0, .steps_per_epoch = 7}); },
                     "Schedule: a training must have from 1 to 4503599627370495 steps: got 0 "
                     "epochs of 7");
  test::expect_error(
      [] { Schedule({.rate = 1.0}, {.epochs = std::size_t{1} << 40, .steps_per_epoch = 1 << 30}); },
      "Schedule: a training must have from 1 to 4503599627370495 steps: got 1099511627776 epochs "
      "of 1073741824");
  test::expect_error([] { Schedule({.rate = 1.0, .warmup_epochs = 10.0}, kLength); },
                     "Schedule: the warm-up must leave steps: it takes 50 of 50");
}

}  // namespace
}  // namespace lamina

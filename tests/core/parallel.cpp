#include "core/parallel.h"

#include <array>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <gtest/gtest.h>
#include <sched.h>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/support/expect_error.h"

namespace lamina {
namespace {

class Parallel : public testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
};

TEST_P(Parallel, VisitsEveryIndexOnce) {
  for (const std::size_t count : {0u, 1u, 2u, 3u, 7u, 64u, 1001u}) {
    std::vector<std::atomic<int>> visits(count);
    parallel_for(count, [&](std::size_t i) { ++visits[i]; });
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(visits[i], 1) << i << " of " << count;
    }
  }
}

TEST_P(Parallel, ManyLoopsInARow) {
  std::atomic<std::size_t> sum{0};
  for (std::size_t loop = 0; loop < 2000; ++loop) {
    parallel_for(5, [&](std::size_t i) { sum += i; });
  }
  EXPECT_EQ(sum, 2000u * 10u);
}

TEST_P(Parallel, NestedLoopsVisitEveryPair) {
  std::array<std::array<std::atomic<int>, 9>, 7> visits{};
  parallel_for(7, [&](std::size_t i) {
    const auto outer = std::this_thread::get_id();
    parallel_for(9, [&](std::size_t j) {
      ++visits[i][j];
      if (GetParam() > 1) {
        EXPECT_EQ(std::this_thread::get_id(), outer);
      }
    });
  });
  for (const auto& row : visits) {
    for (const auto& visit : row) {
      EXPECT_EQ(visit, 1);
    }
  }
}

TEST_P(Parallel, RethrowsAndWorksAfterwards) {
  for (int again = 0; again < 3; ++again) {
    test::expect_error(
        [] { parallel_for(100, [](std::size_t i) { check(i != 37, "task: must not be ", i); }); },
        "task: must not be 37");
  }
  EXPECT_THROW(parallel_for(8, [](std::size_t) { throw std::logic_error("every task"); }),
               std::logic_error);
  std::atomic<int> visits{0};
  parallel_for(100, [&](std::size_t) { ++visits; });
  EXPECT_EQ(visits, 100);
}

TEST_P(Parallel, AnExceptionCrossesNestedLoops) {
  EXPECT_THROW(
      parallel_for(
          4, [](std::size_t) { parallel_for(4, [](std::size_t j) { check(j < 3, "inner"); }); }),
      Error);
  std::atomic<int> visits{0};
  parallel_for(4, [&](std::size_t) { parallel_for(4, [&](std::size_t) { ++visits; }); });
  EXPECT_EQ(visits, 16);
}

TEST_P(Parallel, SeveralThreadsMayCallIt) {
  std::array<std::atomic<int>, 3> visits{};
  std::vector<std::thread> callers;
  for (auto& visit : visits) {
    callers.emplace_back([&visit] {
      for (int loop = 0; loop < 200; ++loop) {
        parallel_for(10, [&visit](std::size_t) { ++visit; });
      }
    });
  }
  for (std::thread& caller : callers) {
    caller.join();
  }
  for (const auto& visit : visits) {
    EXPECT_EQ(visit, 2000);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, Parallel, testing::Values(1, 2, 3, 8),
                         [](const auto& threads) { return std::to_string(threads.param); });

// Each task waits for the other one: it ends only when two threads run at once.
TEST(ParallelThreads, TasksRunAtTheSameTime) {
  set_thread_count(2);
  std::atomic<int> arrived{0};
  std::atomic<int> met{0};
  parallel_for(2, [&](std::size_t) {
    ++arrived;
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (arrived < 2 && std::chrono::steady_clock::now() < limit) {
      std::this_thread::yield();
    }
    met += arrived == 2;
  });
  EXPECT_EQ(met, 2);
}

TEST(ParallelThreads, TasksHaveTheCallersRounding) {
  set_thread_count(4);
  parallel_for(64, [](std::size_t) {});  // starts the threads, rounding to nearest
  std::fesetround(FE_UPWARD);
  std::vector<int> rounding(64, -1);
  parallel_for(64, [&](std::size_t i) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
    rounding[i] = std::fegetround();
  });
  std::fesetround(FE_TONEAREST);
  EXPECT_EQ(rounding, std::vector<int>(64, FE_UPWARD));
  parallel_for(64, [&](std::size_t i) { rounding[i] = std::fegetround(); });
  EXPECT_EQ(rounding, std::vector<int>(64, FE_TONEAREST));
}

// Nothing that a caller keeps in its thread may change while it waits for its loop.
TEST(ParallelThreads, ACallerRunsNoTasksOfAnother) {
  set_thread_count(3);
  static thread_local int caller = 0;
  std::atomic<int> foreign{0};
  const auto call = [&foreign](int self) {
    caller = self;
    for (int loop = 0; loop < 200; ++loop) {
      parallel_for(8, [&foreign, self](std::size_t) {
        foreign += caller != 0 && caller != self;
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      });
    }
    caller = 0;
  };
  std::thread other(call, 1);
  call(2);
  other.join();
  EXPECT_EQ(foreign, 0);
}

TEST(ParallelThreads, OneThreadIsTheCaller) {
  set_thread_count(1);
  std::set<std::thread::id> ids;
  parallel_for(50, [&](std::size_t) { ids.insert(std::this_thread::get_id()); });
  EXPECT_EQ(ids, std::set{std::this_thread::get_id()});
}

TEST(ParallelThreads, CountIsTheLastOneSet) {
  set_thread_count(3);
  EXPECT_EQ(thread_count(), 3u);
  set_thread_count(kMaxThreads);
  EXPECT_EQ(thread_count(), kMaxThreads);
  set_thread_count(1);
  EXPECT_EQ(thread_count(), 1u);
}

TEST(ParallelThreads, RefusesACountOutOfRange) {
  set_thread_count(2);
  test::expect_error([] { set_thread_count(0); }, "threads: must be from 1 to 1024: got 0");
  test::expect_error([] { set_thread_count(1025); }, "threads: must be from 1 to 1024: got 1025");
  EXPECT_EQ(thread_count(), 2u);
}

std::string printed_threads(const std::string& environment) {
  const std::string command = environment + " '" LAMINA_PRINT_THREADS "'";
  std::FILE* pipe = popen(command.c_str(), "r");
  std::string output;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) {
    output.push_back(static_cast<char>(c));
  }
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

TEST(ParallelThreads, EnvironmentSetsTheCount) {
  EXPECT_EQ(printed_threads("LAMINA_THREADS=1"), "1");
  EXPECT_EQ(printed_threads("LAMINA_THREADS=7"), "7");
  EXPECT_EQ(printed_threads("LAMINA_THREADS=1024"), "1024");
}

TEST(ParallelThreads, WithoutTheVariableTheCountIsTheUsableCpus) {
  const std::string usable = std::to_string(usable_cpus());
  EXPECT_EQ(printed_threads("env -u LAMINA_THREADS"), usable);
  EXPECT_EQ(printed_threads("LAMINA_THREADS="), usable);
}

TEST(ParallelThreads, RefusesABadVariable) {
  for (const std::string bad :
       {"0", "1025", "-1", "+2", "2x", " 2", "two", "1.5", "99999999999999999999"}) {
    EXPECT_EQ(printed_threads("LAMINA_THREADS='" + bad + "'"),
              "LAMINA_THREADS: must be a number from 1 to 1024: got '" + bad + "'");
  }
}

TEST(ParallelThreads, UsableCpusFollowTheAffinityMask) {
  std::size_t usable = 0;
  std::thread([&usable] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(sched_getcpu()), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    usable = usable_cpus();
  }).join();
  EXPECT_EQ(usable, 1u);
  EXPECT_GE(usable_cpus(), 1u);
}

}  // namespace
}  // namespace lamina

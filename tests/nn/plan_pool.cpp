#include <cfenv>
#include <condition_variable>
#include <ctime>
#include <filesystem>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>
#include <vector>

#include "core/parallel.h"
#include "nn/plan.h"
#include "tests/nn/every_operation.h"
#include "tests/support/expect_error.h"
#include "tests/support/tensors.h"

// The threads that plans run on: a program's own, or oneTBB's and what those do afterwards.
namespace lamina {
namespace {

// As simple as can be: the workers and the caller take indices until none is left.
class OwnPool : public ThreadPool {
 public:
  explicit OwnPool(std::size_t threads) {
    for (std::size_t i = 1; i < threads; ++i) {
      workers_.emplace_back([this] { work(); });
    }
  }
  ~OwnPool() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers_) {
      worker.join();
    }
  }

  std::size_t threads() const override { return workers_.size() + 1; }

  void run(std::size_t count, Task task, const void* context) override {
    std::unique_lock lock(mutex_);
    ++runs_;
    task_ = task;
    context_ = context;
    left_ = unfinished_ = count;
    changed_.notify_all();
    take(lock);
    changed_.wait(lock, [this] { return unfinished_ == 0; });
  }

  std::size_t runs() const { return runs_; }

 private:
  void take(std::unique_lock<std::mutex>& lock) {
    while (left_ > 0) {
      const std::size_t index = --left_;
      lock.unlock();
      task_(context_, index);
      lock.lock();
      if (--unfinished_ == 0) {
        changed_.notify_all();
      }
    }
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      take(lock);
      changed_.wait(lock, [this] { return stopping_ || left_ > 0; });
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::thread> workers_;
  Task task_ = nullptr;
  const void* context_ = nullptr;
  std::size_t left_ = 0, unfinished_ = 0, runs_ = 0;
  bool stopping_ = false;
};

std::size_t threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(tasks, {}));
}

double cpu_milliseconds() {
  timespec time = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

class PlanPool : public testing::Test {
 protected:
  PlanPool() : net_(nn::PaddingMode::symmetric) { test::randomize(net_); }

  test::EveryOperation net_;
  Tensor x_ = test::random_tensor({5, 47, 41, 3}, 1);
};

// First, before another test has started oneTBB's threads.
TEST_F(PlanPool, RunsOnTheProgramsThreadsAlone) {
  const test::ScopedThreads of_others(4);
  const nn::Plan plan = nn::compile(nn::trace(net_, {1, 47, 41, 3}));
  nn::Workspace serial = plan.workspace(1);
  Tensor want = Tensor::zeros({5, 5});
  plan.run(x_.values(), want.values(), serial);
  ASSERT_EQ(threads_of_process(), 1u);
  for (const std::size_t threads : {1u, 2u, 3u, 8u}) {
    OwnPool pool(threads);
    nn::Workspace workspace = plan.workspace(pool);
    for (int i = 0; i < 50; ++i) {
      Tensor y = Tensor::zeros(want.shape());
      plan.run(x_.values(), y.values(), workspace);
      ASSERT_TRUE(test::same_bits(y, want)) << threads << " threads";
    }
    EXPECT_GE(pool.runs(), 50u);
    EXPECT_EQ(threads_of_process(), threads);
  }
}

// A pool's threads know nothing of the caller's rounding.
TEST_F(PlanPool, ComputesWithTheCallersRounding) {
  const test::ScopedThreads one(1);
  const nn::Plan plan = nn::compile(nn::trace(net_, {1, 47, 41, 3}));
  OwnPool pool(3);
  nn::Workspace workspace = plan.workspace(pool);
  std::fesetround(FE_UPWARD);
  const Tensor want = plan(x_);
  Tensor y = Tensor::zeros(want.shape());
  plan.run(x_.values(), y.values(), workspace);
  std::fesetround(FE_TONEAREST);
  EXPECT_TRUE(test::same_bits(y, want));
  EXPECT_FALSE(test::same_bits(plan(x_), want));
}

TEST_F(PlanPool, RefusesAPoolWithoutThreads) {
  struct NoThreads : ThreadPool {
    std::size_t threads() const override { return 0; }
    void run(std::size_t, Task, const void*) override {}
  } pool;
  const nn::Plan plan = nn::compile(nn::trace(net_, {1, 47, 41, 3}));
  test::expect_error([&] { plan.workspace(pool); },
                     "workspace: a pool must have from 1 to 1024 threads: got 0");
}

// The bound that core/parallel.h states. A pool that spins burns the 200 ms.
TEST_F(PlanPool, ThreadsSleepOnceARunHasReturned) {
  constexpr double kBound = 5.0;
  const nn::Plan plan = nn::compile(nn::trace(net_, {1, 47, 41, 3}));
  for (const std::size_t threads : {2u, 4u}) {
    const test::ScopedThreads scoped(threads);
    nn::Workspace workspace = plan.workspace(threads);
    Tensor y = Tensor::zeros({5, 5});
    for (int i = 0; i < 50; ++i) {
      plan.run(x_.values(), y.values(), workspace);
    }
    const double before = cpu_milliseconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    EXPECT_LE(cpu_milliseconds() - before, kBound * static_cast<double>(threads));
  }
}

}  // namespace
}  // namespace lamina

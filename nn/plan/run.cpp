#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/parallel.h"
#include "nn/ops/blocks.h"
#include "nn/plan/denormals.h"
#include "nn/plan/program.h"
#include "nn/plan/steps.h"

namespace lamina::nn {
namespace {

// Turns of waiting before the thread offers its CPU to others: about 20 microseconds.
constexpr int kSpins = 1000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Room for at least one value, in whole cache lines.
std::size_t aligned(std::size_t floats) {
  return std::max<std::size_t>(1, divide_up(floats, 16)) * 16;
}

// Who has begun and who has finished the parts of one step.
struct alignas(64) Progress {
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> done{0};
};

}  // namespace

struct Workspace::State {
  // Without a pool, on the threads of parallel_for.
  State(std::shared_ptr<const Program> owner, std::size_t n, ThreadPool* threads_of)
      : program(std::move(owner)),
        threads(n),
        pool(threads_of),
        arenas(Tensor::on_large_pages({n, aligned(program->arena)})),
        scratches(Tensor::on_large_pages({n, aligned(program->scratch)})),
        progress(std::make_unique<Progress[]>(program->steps.size())) {}

  // Calls task(thread) for every thread, its arithmetic as the caller's but for denormals.
  template <class Task>
  void on_threads(const Task& task) const {
    const auto callers = FlushDenormals::current();
    const auto flushed = [&task, callers](std::size_t thread) {
      const FlushDenormals flush(callers);
      task(thread);
    };
    pool == nullptr ? parallel_for(threads, flushed) : parallel_for(*pool, threads, flushed);
  }

  float* arena(std::size_t thread) { return arenas.data() + thread * arenas.shape()[1]; }
  float* scratch(std::size_t thread) { return scratches.data() + thread * scratches.shape()[1]; }

  std::shared_ptr<const Program> program;  // whose memory this is
  std::size_t threads;
  ThreadPool* pool;
  Tensor arenas, scratches;
  std::unique_ptr<Progress[]> progress;
};

Workspace::Workspace(std::unique_ptr<State> state) : state_(std::move(state)) {}
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;
Workspace::~Workspace() = default;

namespace {

// All of an image by this thread alone.
void run_image(const Program& program, const ImageMemory& memory, float* scratch) {
  for (const Step& step : program.steps) {
    run_part(program, step, memory, 0, 1, scratch);
  }
}

// This thread's share of an image that several work on: parts of each step as they come, then the
// next step once all parts are done. A thread that comes late, or never, is not waited for.
void share_image(const Program& program, const ImageMemory& memory, std::size_t threads,
                 Progress* progress, float* scratch) {
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const Step& step = program.steps[s];
    const std::size_t parts = part_count(program, step, threads);
    for (;;) {
      const std::size_t part = progress[s].begun.fetch_add(1, std::memory_order_relaxed);
      if (part >= parts) {
        break;
      }
      run_part(program, step, memory, part, parts, scratch);
      progress[s].done.fetch_add(1, std::memory_order_release);
    }
    for (int spins = 0; progress[s].done.load(std::memory_order_acquire) < parts; ++spins) {
      spins < kSpins ? pause() : std::this_thread::yield();
    }
  }
}

}  // namespace

// The workspace behind operator(), made anew when the number of threads changes.
struct Plan::Runner {
  std::mutex mutex;
  std::optional<Workspace> workspace;
  std::size_t threads = 0;
};

Plan::Plan(std::shared_ptr<const Program> program)
    : program_(std::move(program)), runner_(std::make_shared<Runner>()) {}

const Shape& Plan::input_shape() const { return program_->traced_input; }
const Shape& Plan::output_shape() const { return program_->traced_output; }
const std::map<std::string, std::string>& Plan::metadata() const { return program_->metadata; }

Workspace Plan::workspace(std::size_t threads) const {
  check(threads >= 1 && threads <= kMaxThreads, "workspace: threads must be from 1 to ",
        kMaxThreads, ": got ", threads);
  return Workspace(std::make_unique<Workspace::State>(program_, threads, nullptr));
}

Workspace Plan::workspace(ThreadPool& pool) const {
  const std::size_t threads = pool.threads();
  check(threads >= 1 && threads <= kMaxThreads, "workspace: a pool must have from 1 to ",
        kMaxThreads, " threads: got ", threads);
  return Workspace(std::make_unique<Workspace::State>(program_, threads, &pool));
}

void Plan::run(std::span<const float> x, std::span<float> y, Workspace& workspace) const {
  check(workspace.state_ != nullptr && workspace.state_->program == program_,
        "run: the workspace must be this plan's own, and not moved from");
  const Program& program = *program_;
  Workspace::State& state = *workspace.state_;
  const std::size_t in = program.traced_input.size() / program.traced_input[0];
  const std::size_t out = program.traced_output.size() / program.traced_output[0];
  const std::size_t images = x.size() / in;
  check(x.size() % in == 0 && y.size() == images * out,
        "run: input and output must hold as many images: input has ", x.size(), " values, ", in,
        " an image; output has ", y.size(), ", ", out, " an image");
  const auto memory = [&](std::size_t image, std::size_t thread) -> ImageMemory {
    return {x.data() + image * in, y.data() + image * out, state.arena(thread)};
  };
  const std::size_t threads = state.threads;
  const std::size_t alone = images / threads * threads;
  if (alone > 0) {
    state.on_threads([&](std::size_t thread) {
      for (std::size_t image = thread; image < alone; image += threads) {
        run_image(program, memory(image, thread), state.scratch(thread));
      }
    });
  }
  for (std::size_t image = alone; image < images; ++image) {
    for (std::size_t s = 0; s < program.steps.size(); ++s) {
      state.progress[s].begun.store(0, std::memory_order_relaxed);
      state.progress[s].done.store(0, std::memory_order_relaxed);
    }
    state.on_threads([&](std::size_t thread) {
      share_image(program, memory(image, 0), threads, state.progress.get(), state.scratch(thread));
    });
  }
}

Tensor Plan::operator()(const Tensor& x) const {
  const Shape& traced = program_->traced_input;
  const bool same_rank = x.shape().rank() == traced.rank();
  check(same_rank && std::equal(x.shape().begin() + 1, x.shape().end(), traced.begin() + 1),
        "plan: the input must have the shape that was compiled, for any number of images: got ",
        x.shape(), ", compiled was ", traced);
  std::vector<std::size_t> extents(program_->traced_output.begin(), program_->traced_output.end());
  extents[0] = x.shape()[0];
  Tensor y = Tensor::uninitialized(Shape(extents));
  const std::lock_guard lock(runner_->mutex);
  if (!runner_->workspace || runner_->threads != thread_count()) {
    runner_->threads = thread_count();
    runner_->workspace = workspace(runner_->threads);
  }
  run(x.values(), y.values(), *runner_->workspace);
  return y;
}

}  // namespace lamina::nn

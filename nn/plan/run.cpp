#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "core/denormals.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/ops/blocks.h"
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

// How many parts of one step are done, and how many of each thread's own have been begun.
struct alignas(64) Counter {
  std::atomic<std::size_t> count{0};
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
        done(std::make_unique<Counter[]>(program->steps.size())),
        begun(std::make_unique<Counter[]>(program->steps.size() * n)) {}

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

  void begin_image() {
    for (std::size_t s = 0; s < program->steps.size(); ++s) {
      done[s].count.store(0, std::memory_order_relaxed);
    }
    for (std::size_t i = 0; i < program->steps.size() * threads; ++i) {
      begun[i].count.store(0, std::memory_order_relaxed);
    }
  }

  // A part of step s that nobody has begun, of `thread`'s own if there is one: neighboring steps
  // are cut alike, so that a thread finds what it needs in its own cache. `parts` when none is
  // left.
  std::size_t claim(std::size_t s, std::size_t thread, std::size_t parts) {
    for (std::size_t i = 0; i < threads; ++i) {
      const std::size_t owner = (thread + i) % threads;
      const std::size_t end = parts * (owner + 1) / threads;
      std::atomic<std::size_t>& count = begun[s * threads + owner].count;
      const std::size_t first = parts * owner / threads;
      if (first + count.load(std::memory_order_relaxed) < end) {
        const std::size_t part = first + count.fetch_add(1, std::memory_order_relaxed);
        if (part < end) {
          return part;
        }
      }
    }
    return parts;
  }

  // This thread's share of an image that several work on: parts of each step while there are any,
  // then the next step once all parts are done. A thread that comes late, or never, is not waited
  // for.
  void share_image(const ImageMemory& memory, std::size_t thread) {
    for (std::size_t s = 0; s < program->steps.size(); ++s) {
      const Step& step = program->steps[s];
      const std::size_t parts = part_count(*program, step, threads);
      std::atomic<std::size_t>& finished = done[s].count;
      for (;;) {
        const std::size_t part = claim(s, thread, parts);
        if (part == parts) {
          break;
        }
        run_part(*program, step, memory, part, parts, scratch(thread));
        finished.fetch_add(1, std::memory_order_release);
      }
      for (int spins = 0; finished.load(std::memory_order_acquire) < parts; ++spins) {
        spins < kSpins ? pause() : std::this_thread::yield();
      }
    }
  }

  float* arena(std::size_t thread) { return arenas.data() + thread * arenas.shape()[1]; }
  float* scratch(std::size_t thread) { return scratches.data() + thread * scratches.shape()[1]; }

  std::shared_ptr<const Program> program;  // whose memory this is
  std::size_t threads;
  ThreadPool* pool;
  Tensor arenas, scratches;

  // Of the image that all threads share.
  std::unique_ptr<Counter[]> done;   // [steps]
  std::unique_ptr<Counter[]> begun;  // [steps, threads]
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
    state.begin_image();
    state.on_threads([&](std::size_t thread) { state.share_image(memory(image, 0), thread); });
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

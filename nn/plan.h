#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/parallel.h"
#include "core/tensor.h"
#include "nn/graph.h"

namespace lamina::nn {

/// Whether a block of convolutions runs in slices, its inner tensors never whole (section 5.1 of
/// the paper).
enum class Fusion {
  automatic,  ///< where the tensor between them would not stay in a core's cache
  never,
  always,
};

struct CompileOptions {
  Fusion fusion = Fusion::automatic;
  /// Bytes that weights, arena and scratch may take together for one thread; none: no limit.
  /// Smaller slices are tried before compile() gives up.
  std::optional<std::size_t> max_memory = {};
  /// Text that goes with the plan and into its file: class names, preprocessing.
  std::map<std::string, std::string> metadata = {};
};

/// What a plan needs, in bytes.
struct PlanMemory {
  std::size_t weights = 0;  ///< packed, shared by all runs
  std::size_t arena = 0;    ///< tensors between the steps, of one image at a time
  std::size_t scratch = 0;  ///< slices and columns of one thread
  std::size_t total() const { return weights + arena + scratch; }
};

struct Program;  // the steps and their weights

/// The memory that one run at a time needs besides the plan. Not to be shared by concurrent runs.
class Workspace {
 public:
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;
  ~Workspace();

 private:
  friend class Plan;
  struct State;
  explicit Workspace(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A forward pass made ready to run: batch norm folded, activations and additions part of the
/// convolutions before them, inverted residuals cut into slices, weights packed for the instruction
/// set, memory laid out. Immutable; copies share; any number of threads may run it at once, each
/// with a Workspace of its own.
///
/// Images of a batch pass one after the other, so that time per image does not depend on the
/// batch; with several threads, each takes images of its own and all of them share the last ones.
/// The bits of an image's result depend neither on the threads nor on the rest of the batch.
class Plan {
 public:
  /// The input's shape, as traced, and the output's.
  const Shape& input_shape() const;
  const Shape& output_shape() const;

  /// Runs on x of input_shape(), or of any number of images of that size. Throws Error on another
  /// shape. Uses a workspace of the plan's own, one run at a time.
  Tensor operator()(const Tensor& x) const;

  /// A workspace for `threads` threads of parallel_for, which go to sleep when a run has returned:
  /// core/parallel.h states how soon.
  Workspace workspace(std::size_t threads) const;

  /// A workspace for a program's own threads: runs with it start none. The pool must outlive it.
  Workspace workspace(ThreadPool& pool) const;

  /// Runs on x into y, with the threads of the workspace and without allocating. Throws Error when
  /// x does not hold a whole number of images or y not as many results.
  void run(std::span<const float> x, std::span<float> y, Workspace& workspace) const;

  PlanMemory memory() const;

  /// The text given to compile().
  const std::map<std::string, std::string>& metadata() const;

  /// Writes the plan to a file for load_plan(): complete under that name or not at all. Throws
  /// Error when it cannot be written, or the plan works on more than 4 GiB.
  void save(const std::filesystem::path& path) const;

  /// A line a step: what it runs, its kernel and tiles, its scratch and its place in the arena.
  std::string describe() const;

 private:
  friend Plan compile(const Graph& graph, const CompileOptions& options);
  friend Plan load_plan(const std::filesystem::path& path);
  explicit Plan(std::shared_ptr<const Program> program);

  struct Runner;
  std::shared_ptr<const Program> program_;
  std::shared_ptr<Runner> runner_;
};

/// Compiles for the instruction set in use (nn::isa()). Throws Error when the graph holds what
/// plans cannot run, or needs more than options.max_memory, then with the least that would do.
Plan compile(const Graph& graph, const CompileOptions& options = {});

/// A plan that save() wrote, ready to run without packing: its weights stay in the file, mapped,
/// and are shared by all processes that load it. Replace such a file by renaming another onto it,
/// as save() does: one that is overwritten or cut while it is in use crashes the program or changes
/// answers. Plans belong to an instruction set and to a version of this library: for
/// another one, compile again. Throws Error when the file is not a plan, of another version, for
/// another instruction set than isa(), cut short, altered (a checksum tells), or describes steps
/// that no plan has: none can make a run leave its memory.
Plan load_plan(const std::filesystem::path& path);

/// Whether a regular file begins as save() begins them, of whatever version and instruction set;
/// false when it cannot be read.
bool begins_as_plan(const std::filesystem::path& path);

}  // namespace lamina::nn

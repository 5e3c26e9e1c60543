#pragma once

#include <algorithm>
#include <cstddef>

#include "kernels/table.h"
#include "nn/conv_norm/layer.h"
#include "nn/ops/blocks.h"

/// Inside nn only: what the layers of a chain do to runs of rows, which lie in a core's L2.
namespace lamina::nn {

/// Floats that a run of rows works on: 256 KB, while as much is fetched for the next run into the
/// 1 MB that L2 has on current servers.
inline constexpr std::size_t kRunFloats = 64 * 1024;
/// Sums of weight gradients, one a task, take at most this many floats.
inline constexpr std::size_t kPartFloats = 1024 * 1024;

/// `units` steps of work cut into tasks of consecutive ones.
struct TaskCut {
  std::size_t units, tasks;

  std::size_t begin(std::size_t task) const { return task * units / tasks; }
  std::size_t end(std::size_t task) const { return (task + 1) * units / tasks; }
};

/// Tasks enough for many threads, few enough that a gradient of `floats` for each stays small, and
/// that each writes a run's worth of the `written` floats: each has sums to be added up in the end.
inline TaskCut cut_tasks(std::size_t units, std::size_t floats, std::size_t written) {
  const std::size_t most = std::clamp<std::size_t>(kPartFloats / floats, 4, 32);
  const std::size_t worth = std::max<std::size_t>(8, written / kRunFloats);
  return {.units = units, .tasks = std::min({units, most, worth})};
}

/// What a run reads from memory, to be fetched during the run before.
struct Ahead {
  const float* values = nullptr;
  std::size_t floats = 0;
};

/// `count` rows of `tensor` after the first `begin`, as many as there are.
inline Ahead rows_ahead(const Tensor& tensor, std::size_t begin, std::size_t count) {
  const std::size_t channels = tensor.shape()[3];
  const std::size_t first = std::min(tensor.size(), begin * channels);
  return {tensor.data() + first, std::min(count * channels, tensor.size() - first)};
}

/// Rows [begin, begin + count) of a source: as they are, or normalized into `scratch`.
inline const float* read_rows(const kernels::KernelTable& kernels, const ChainSource& source,
                              std::size_t begin, std::size_t count, float* scratch) {
  if (source.norm == nullptr) {
    return source.values.data() + begin * source.values.shape()[3];
  }
  source.normalized(kernels).apply(begin, count, scratch);
  return scratch;
}

/// Calls run(first, count) on pieces of [begin, begin + count) that are short enough to sum.
template <class Run>
void in_short_runs(std::size_t begin, std::size_t count, const Run& run) {
  for (std::size_t done = 0; done < count; done += kSumRows) {
    run(begin + done, std::min(kSumRows, count - done));
  }
}

/// dz, the gradient of the convolution's result, for some rows of it.
inline void gradient_rows(const kernels::KernelTable& kernels, const ChainUpstream& up,
                          std::size_t begin, std::size_t count, float* dz) {
  const NormalizedRows rows{kernels, up.z, up.norm, up.bounds};
  rows.input_gradient(begin, count, up.dy.data() + begin * rows.channels(), up.terms, dz);
}

/// Adds rows of a normalized source, whose gradient is dy, to its sums.
inline void add_norm_sums(const kernels::KernelTable& kernels, const ChainSource& source,
                          const float* dy, std::size_t begin, std::size_t count, TaskSums& sums,
                          std::size_t task) {
  if (source.norm != nullptr) {
    const NormalizedRows rows = source.normalized(kernels);
    rows.add_sums(begin, count, dy + begin * rows.channels(), sums.first(task), sums.second(task));
  }
}

}  // namespace lamina::nn

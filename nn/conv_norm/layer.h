#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "core/tensor.h"
#include "nn/conv_norm.h"
#include "nn/ops/channel_sums.h"
#include "nn/ops/normalized_rows.h"

namespace lamina::kernels {
struct KernelTable;
}  // namespace lamina::kernels

/// Inside nn only: the convolutions of a chain, forward and backward.
namespace lamina::nn {

/// What a layer reads: values [N, H, W, C], where `norm` is set to be normalized and clamped first.
struct ChainSource {
  Tensor values;
  const Normalization* norm = nullptr;
  Bounds bounds = {};

  NormalizedRows normalized(const kernels::KernelTable& kernels) const {
    return {kernels, values, *norm, bounds};
  }
};

/// Two sums in double for each channel from several tasks, which are added up in their order.
class TaskSums {
 public:
  TaskSums(std::size_t tasks, std::size_t channels)
      : channels_(channels), values_(tasks * 2 * channels) {}

  double* first(std::size_t task) { return values_.data() + task * 2 * channels_; }
  double* second(std::size_t task) { return first(task) + channels_; }
  const double* first(std::size_t task) const { return values_.data() + task * 2 * channels_; }
  const double* second(std::size_t task) const { return first(task) + channels_; }
  ChannelSums totals() const;

 private:
  std::size_t channels_;
  std::vector<double> values_;
};

/// The moments of a layer's result, taken while it is in cache, each task's about a point of its
/// own near the mean, so that no digits cancel.
class ChainMoments {
 public:
  ChainMoments(std::size_t tasks, std::size_t channels)
      : channels_(channels), points_(tasks * channels), counts_(tasks), sums_(tasks, channels) {}

  /// Adds `rows` rows of z [rows, channels].
  void add(const kernels::KernelTable& kernels, std::size_t task, const float* z, std::size_t rows);
  /// Of all tasks' rows together.
  BatchStatistics statistics() const;

 private:
  void set_point(std::size_t task, const float* z, std::size_t rows);

  std::size_t channels_;
  std::vector<float> points_;  // [tasks, channels]
  std::vector<std::size_t> counts_;
  TaskSums sums_;
};

/// The gradient of a layer's clamped and normalized result, and what turns it into that of the
/// convolution's.
struct ChainUpstream {
  const Tensor& z;
  const Tensor& dy;
  const Normalization& norm;
  Bounds bounds;
  InputTerms terms;
};

/// Where the gradient of the source goes; where the source is normalized, the sums that its own
/// backward pass begins with are taken on the way.
struct ChainDownstream {
  Tensor dx;  ///< empty: not wanted
  TaskSums sums;
};

class ChainLayer {
 public:
  virtual ~ChainLayer() = default;

  /// Into how many tasks the work is cut.
  virtual std::size_t tasks() const = 0;
  virtual Shape output() const = 0;

  /// Fills z; takes its moments unless `moments` is null.
  virtual void forward(const ChainSource& source, Tensor& z, ChainMoments* moments) const = 0;
  /// Fills `down`; returns the gradient of the weight.
  virtual Tensor backward(const ChainSource& source, const ChainUpstream& up,
                          ChainDownstream& down) const = 0;
};

/// The layer for images of the shape `x`. `layer` must outlive it.
std::unique_ptr<ChainLayer> make_pointwise_layer(const kernels::KernelTable& kernels,
                                                 const ConvNorm& layer, const Shape& x);
std::unique_ptr<ChainLayer> make_depthwise_layer(const kernels::KernelTable& kernels,
                                                 const ConvNorm& layer, const Shape& x);
std::unique_ptr<ChainLayer> make_general_layer(const kernels::KernelTable& kernels,
                                               const ConvNorm& layer, const Shape& x);

}  // namespace lamina::nn

#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/error.h"
#include "core/tensor.h"
#include "kernels/table.h"
#include "models/mobilenet_v2.h"

/// One kernel on one layer of the network: its arrays, a run, and what the run costs at least.
/// Arrays hold the same values for every table.
namespace lamina::benchmarks {

using kernels::KernelTable;
using models::LayerInfo;

/// Uniform in [-1, 1), the same for the same shape.
Tensor random_tensor(const Shape& shape);

/// A convolution's window.
kernels::Window window_of(const LayerInfo& layer);

/// Bytes of one read or write of each array.
double bytes_of(std::initializer_list<const Tensor*> arrays);

/// A matrix product as a 1x1 convolution or the classifier uses it.
class GemmCase {
 public:
  GemmCase(const LayerInfo& layer, const KernelTable& table);
  static std::string shape(const LayerInfo& layer);
  void run() { table_.gemm(args_); }
  std::span<const float> result() const { return c_.values(); }
  double operations() const;
  double bytes() const { return bytes_of({&a_, &weights_, &c_}); }

 private:
  const KernelTable& table_;
  Tensor a_, weights_, packed_, bias_, c_;
  kernels::GemmArgs args_;
};

/// Laying out the weights for GemmCase. Its result is the product made with them.
class PackCase {
 public:
  PackCase(const LayerInfo& layer, const KernelTable& table);
  static std::string shape(const LayerInfo& layer);
  void run() { table_.pack(args_); }
  std::span<const float> result() const { return sums_.values(); }
  double operations() const { return 0.0; }
  double bytes() const { return bytes_of({&weights_, &packed_}); }

 private:
  const KernelTable& table_;
  Tensor weights_, packed_, sums_;
  kernels::PackArgs args_;
};

class Im2colCase {
 public:
  Im2colCase(const LayerInfo& layer, const KernelTable& table);
  static std::string shape(const LayerInfo& layer);
  void run() { table_.im2col(args_); }
  std::span<const float> result() const { return columns_.values(); }
  double operations() const { return 0.0; }
  double bytes() const { return bytes_of({&x_, &columns_}); }
  const kernels::Im2colArgs& args() const { return args_; }

 private:
  const KernelTable& table_;
  Tensor x_, columns_;
  kernels::Im2colArgs args_;
};

/// A convolution with a full window: Im2colCase and the product.
class ImageConvolutionCase {
 public:
  ImageConvolutionCase(const LayerInfo& layer, const KernelTable& table);
  static std::string shape(const LayerInfo& layer) { return Im2colCase::shape(layer); }
  void run();
  std::span<const float> result() const { return c_.values(); }
  double operations() const { return operations_; }
  double bytes() const { return im2col_.bytes() + bytes_of({&c_}); }

 private:
  const KernelTable& table_;
  Im2colCase im2col_;
  Tensor packed_, c_;
  kernels::GemmArgs args_;
  double operations_;
};

/// Depthwise convolution through the kernel that `kernel` names in the table.
template <auto kernel>
class DepthwiseCaseOf {
 public:
  DepthwiseCaseOf(const LayerInfo& layer, const KernelTable& table);
  static std::string shape(const LayerInfo& layer) {
    return text(layer.input[1], 'x', layer.input[2], 'x', layer.input[3], 's',
                layer.options.stride.h);
  }
  void run() { (table_.*kernel)(args_); }
  std::span<const float> result() const { return y_.values(); }
  double operations() const { return operations_; }
  double bytes() const { return bytes_of({&x_, &w_, &y_}); }

 private:
  const KernelTable& table_;
  Tensor x_, w_, bias_, y_;
  kernels::DepthwiseArgs args_;
  double operations_;
};
using Depthwise3x3Case = DepthwiseCaseOf<&KernelTable::depthwise3x3>;
using DepthwiseCase = DepthwiseCaseOf<&KernelTable::depthwise>;

/// A pass over a layer's output, [rows, channels], by a function of the table and its arrays.
template <class Pass>
class PassCase {
 public:
  PassCase(const LayerInfo& layer, const KernelTable& table)
      : table_(table),
        x_(random_tensor(layer.kind == LayerInfo::Kind::pool ? layer.input : layer.output)),
        y_(Tensor::zeros(layer.output)),
        channels_(x_.shape()[x_.shape().rank() - 1]),
        scale_(random_tensor({channels_})) {}
  static std::string shape(const LayerInfo& layer) {
    const std::size_t channels = layer.output[layer.output.rank() - 1];
    return text(layer.output.size() / channels, 'x', channels);
  }
  void run() { Pass::run(table_, *this); }
  std::span<const float> result() const { return y_.values(); }
  double operations() const { return Pass::kOperations * static_cast<double>(x_.size()); }
  double bytes() const { return bytes_of({&x_, &y_}) + Pass::kMoreInputs * bytes_of({&x_}); }

  std::size_t rows() const { return x_.size() / channels_; }
  std::size_t channels() const { return channels_; }
  const float* x() const { return x_.data(); }
  const float* scale() const { return scale_.data(); }
  float* y() { return y_.data(); }

 private:
  const KernelTable& table_;
  Tensor x_, y_;
  std::size_t channels_;
  Tensor scale_;
};

struct AddPass {
  static constexpr double kOperations = 1.0;
  static constexpr double kMoreInputs = 1.0;
  static void run(const KernelTable& table, PassCase<AddPass>& on);
};
struct ClampPass {
  static constexpr double kOperations = 2.0;
  static constexpr double kMoreInputs = 0.0;
  static void run(const KernelTable& table, PassCase<ClampPass>& on);
};
struct ScaleShiftPass {
  static constexpr double kOperations = 2.0;
  static constexpr double kMoreInputs = 0.0;
  static void run(const KernelTable& table, PassCase<ScaleShiftPass>& on);
};
struct MeanPass {
  static constexpr double kOperations = 1.0;
  static constexpr double kMoreInputs = 0.0;
  static void run(const KernelTable& table, PassCase<MeanPass>& on);
};
struct SoftmaxPass {
  static constexpr double kOperations = 4.0;
  static constexpr double kMoreInputs = 0.0;
  static void run(const KernelTable& table, PassCase<SoftmaxPass>& on);
};
using AddCase = PassCase<AddPass>;
using ClampCase = PassCase<ClampPass>;
using ScaleShiftCase = PassCase<ScaleShiftPass>;
using MeanCase = PassCase<MeanPass>;
using SoftmaxCase = PassCase<SoftmaxPass>;

}  // namespace lamina::benchmarks

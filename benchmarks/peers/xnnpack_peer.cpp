#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <pthreadpool.h>
#include <span>
#include <variant>
#include <vector>
#include <xnnpack.h>

#include "benchmarks/peers/peer.h"
#include "core/error.h"

// XNNPACK's side of the comparison: the traced graph as a subgraph of its own, NHWC throughout,
// clamps inside of the convolutions, weights packed and tensors placed once.
namespace {

using namespace lamina;

void expect(xnn_status status, const char* call) {
  check(status == xnn_status_success, call, ": must succeed: returned ", static_cast<int>(status));
}

std::uint32_t u32(std::size_t value) { return static_cast<std::uint32_t>(value); }

constexpr std::uint32_t kInput = 0;
constexpr std::uint32_t kOutput = 1;

class Subgraph {
 public:
  explicit Subgraph(const nn::Graph& graph) : graph_(graph) {
    expect(xnn_initialize(nullptr), "xnn_initialize");
    expect(xnn_create_subgraph(2, 0, &subgraph_), "xnn_create_subgraph");
    for (const nn::Node& node : graph.nodes) {
      values_.push_back(result_of(node));
      std::visit([&](const auto& operation) { define(node, operation); }, node.operation);
    }
  }
  ~Subgraph() { xnn_delete_subgraph(subgraph_); }
  Subgraph(const Subgraph&) = delete;
  Subgraph& operator=(const Subgraph&) = delete;

  xnn_subgraph_t get() const { return subgraph_; }

 private:
  std::uint32_t tensor(const Shape& shape, const float* data, std::uint32_t external,
                       std::uint32_t flags) {
    std::array<std::size_t, 4> sizes{};
    for (std::size_t i = 0; i < shape.rank(); ++i) {
      sizes[i] = shape[i];
    }
    std::uint32_t id = XNN_INVALID_VALUE_ID;
    expect(xnn_define_tensor_value(subgraph_, xnn_datatype_fp32, shape.rank(), sizes.data(), data,
                                   external, flags, &id),
           "xnn_define_tensor_value");
    return id;
  }

  std::uint32_t result_of(const nn::Node& node) {
    if (&node == &graph_.nodes.front()) {
      return tensor(node.shape, nullptr, kInput, XNN_VALUE_FLAG_EXTERNAL_INPUT);
    }
    if (&node == &graph_.nodes[graph_.output]) {
      return tensor(node.shape, nullptr, kOutput, XNN_VALUE_FLAG_EXTERNAL_OUTPUT);
    }
    return tensor(node.shape, nullptr, XNN_INVALID_VALUE_ID, 0);
  }

  std::uint32_t constant(const Tensor& values) {
    return tensor(values.shape(), values.data(), XNN_INVALID_VALUE_ID, 0);
  }

  void define(const nn::Node&, const nn::InputNode&) {}

  void define(const nn::Node& node, const nn::ConvolutionNode& convolution) {
    if (convolution.options.groups > 1) {
      define_depthwise(node, convolution);
      return;
    }
    const auto& [stride, padding, dilation, groups, bounds] = convolution.options;
    const Shape& weight = convolution.weight.shape();
    expect(xnn_define_convolution_2d(subgraph_, u32(padding.top), u32(padding.right),
                                     u32(padding.bottom), u32(padding.left), u32(weight[1]),
                                     u32(weight[2]), u32(stride.h), u32(stride.w), u32(dilation.h),
                                     u32(dilation.w), 1, weight[3], weight[0], bounds.lo, bounds.hi,
                                     values_[node.inputs[0]], constant(convolution.weight),
                                     constant(convolution.bias), values_.back(), 0),
           "xnn_define_convolution_2d");
  }

  void define_depthwise(const nn::Node& node, const nn::ConvolutionNode& convolution) {
    const auto& [stride, padding, dilation, groups, bounds] = convolution.options;
    const Shape& shape = convolution.weight.shape();
    check(groups == shape[0] && shape[3] == 1, node.name, ": must be depthwise: ", groups,
          " groups, weight ", shape);
    const std::size_t taps = shape[1] * shape[2];
    Tensor weight = Tensor::uninitialized({1, shape[1], shape[2], groups});
    for (std::size_t c = 0; c < groups; ++c) {
      for (std::size_t tap = 0; tap < taps; ++tap) {
        weight.data()[tap * groups + c] = convolution.weight.data()[c * taps + tap];
      }
    }
    expect(
        xnn_define_depthwise_convolution_2d(
            subgraph_, u32(padding.top), u32(padding.right), u32(padding.bottom), u32(padding.left),
            u32(shape[1]), u32(shape[2]), u32(stride.h), u32(stride.w), u32(dilation.h),
            u32(dilation.w), 1, groups, bounds.lo, bounds.hi, values_[node.inputs[0]],
            constant(weight), constant(convolution.bias), values_.back(), 0),
        "xnn_define_depthwise_convolution_2d");
    turned_.push_back(weight);
  }

  void define(const nn::Node& node, const nn::AddNode&) {
    expect(xnn_define_binary(subgraph_, xnn_binary_add, nullptr, values_[node.inputs[0]],
                             values_[node.inputs[1]], values_.back(), XNN_FLAG_NO_BROADCAST),
           "xnn_define_binary");
  }

  void define(const nn::Node& node, const nn::PoolNode&) {
    constexpr std::array<std::int64_t, 2> kAxes{1, 2};
    expect(xnn_define_static_reduce_v2(subgraph_, xnn_reduce_mean, kAxes.size(), kAxes.data(),
                                       values_[node.inputs[0]], values_.back(), 0),
           "xnn_define_static_reduce_v2");
  }

  void define(const nn::Node& node, const nn::LinearNode& linear) {
    const nn::Bounds all;
    expect(xnn_define_fully_connected(subgraph_, all.lo, all.hi, values_[node.inputs[0]],
                                      constant(linear.weight), constant(linear.bias),
                                      values_.back(), 0),
           "xnn_define_fully_connected");
  }

  template <class Other>
  void define(const nn::Node& node, const Other&) {
    throw Error("xnnpack_peer: has no such operation: " + node.name);
  }

  const nn::Graph& graph_;
  xnn_subgraph_t subgraph_ = nullptr;
  std::vector<std::uint32_t> values_;  // of the graph's nodes so far
  std::vector<Tensor> turned_;
};

struct Delete {
  void operator()(xnn_runtime_t runtime) const { xnn_delete_runtime(runtime); }
  void operator()(pthreadpool_t pool) const { pthreadpool_destroy(pool); }
};
template <class Handle>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Delete>;

class XnnpackRunner : public benchmarks::Runner {
 public:
  XnnpackRunner(const benchmarks::Task& task, std::span<float> logits)
      : subgraph_(task.graph),
        input_(with_room(task.input.size())),
        output_(with_room(logits.size())),
        logits_(logits) {
    std::memcpy(input_.data(), task.input.data(), task.input.size() * sizeof(float));
    if (task.threads > 1) {
      pool_.reset(pthreadpool_create(task.threads));
    }
    xnn_runtime_t runtime = nullptr;
    expect(xnn_create_runtime_v2(subgraph_.get(), pool_.get(), 0, &runtime),
           "xnn_create_runtime_v2");
    runtime_.reset(runtime);
    expect(xnn_reshape_runtime(runtime), "xnn_reshape_runtime");
    const std::array<xnn_external_value, 2> ends{
        {{kInput, input_.data()}, {kOutput, output_.data()}}};
    expect(xnn_setup_runtime_v2(runtime, ends.size(), ends.data()), "xnn_setup_runtime_v2");
  }

  void run() override {
    expect(xnn_invoke_runtime(runtime_.get()), "xnn_invoke_runtime");
    std::memcpy(logits_.data(), output_.data(), logits_.size_bytes());
  }

 private:
  // XNNPACK may read that far past the end of a tensor.
  static Tensor with_room(std::size_t count) {
    return Tensor::zeros({count + XNN_EXTRA_BYTES / sizeof(float)});
  }

  Subgraph subgraph_;  // with the weights, which the runtime needs
  Tensor input_, output_;
  std::span<float> logits_;
  Owned<pthreadpool_t> pool_;
  Owned<xnn_runtime_t> runtime_;
};

}  // namespace

int main(int argc, char** argv) {
  return benchmarks::serve(argc, argv, "XNNPACK",
                           [](const benchmarks::Task& task,
                              std::span<float> logits) -> std::unique_ptr<benchmarks::Runner> {
                             return std::make_unique<XnnpackRunner>(task, logits);
                           });
}

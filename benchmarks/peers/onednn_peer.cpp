#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <memory>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "benchmarks/peers/peer.h"
#include "core/error.h"

// oneDNN's side of the comparison: the traced graph as a chain of primitives, bounds and additions
// as their post-operations. Of the layouts for the tensors between them, channels last and channels
// in blocks, the fastest is kept; every primitive chooses the layout of its weights.
namespace {

using namespace lamina;
using dnnl::memory;
using Tag = memory::format_tag;

memory::dims dims(const Shape& nhwc) {
  std::vector<std::size_t> order{0, 1};
  if (nhwc.rank() == 4) {
    order = {0, 3, 1, 2};
  }
  memory::dims result;
  for (const std::size_t axis : order) {
    result.push_back(static_cast<memory::dim>(nhwc[axis]));
  }
  return result;
}

memory::dims pair(std::size_t h, std::size_t w) {
  return {static_cast<memory::dim>(h), static_cast<memory::dim>(w)};
}

memory::desc described(const memory::dims& extents, Tag tag = Tag::any) {
  return {extents, memory::data_type::f32, tag};
}

class Chain : public benchmarks::Runner {
 public:
  Chain(const benchmarks::Task& task, std::span<float> logits, Tag layout)
      : graph_(task.graph), input_(task.input), layout_(layout), stream_(engine_) {
    results_.reserve(graph_.nodes.size());
    buffers_.reserve(graph_.nodes.size());
    find_last_uses();
    for (const nn::Node& node : graph_.nodes) {
      std::visit([&](const auto& operation) { add(node, operation); }, node.operation);
      release_unused();
    }
    const memory::dims shape = dims(graph_.nodes[graph_.output].shape);
    const memory last{described(shape, Tag::nc), engine_, logits.data()};
    steps_.push_back({dnnl::reorder(results_[graph_.output], last),
                      {{DNNL_ARG_FROM, results_[graph_.output]}, {DNNL_ARG_TO, last}}});
  }

  void run() override {
    for (const Step& step : steps_) {
      step.primitive.execute(stream_, step.arguments);
    }
    stream_.wait();
  }

 private:
  struct Step {
    dnnl::primitive primitive;
    std::unordered_map<int, memory> arguments;
  };
  using Buffer = std::shared_ptr<Tensor>;

  void find_last_uses() {
    last_use_.resize(graph_.nodes.size());
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const std::size_t input : graph_.nodes[i].inputs) {
        last_use_[input] = i;
      }
    }
    last_use_[graph_.output] = graph_.nodes.size();
  }

  void release_unused() {
    const std::size_t now = results_.size() - 1;
    for (std::size_t i = 1; i <= now; ++i) {
      if (buffers_[i] != nullptr && last_use_[i] <= now) {
        free_.push_back(std::move(buffers_[i]));
      }
    }
  }

  // The smallest free buffer that is large enough, else a new one.
  Buffer take_buffer(std::size_t bytes) {
    const std::size_t count = (bytes + sizeof(float) - 1) / sizeof(float);
    auto best = free_.end();
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      if ((*it)->size() >= count && (best == free_.end() || (*it)->size() < (*best)->size())) {
        best = it;
      }
    }
    if (best == free_.end()) {
      return std::make_shared<Tensor>(Tensor::on_large_pages({count}));
    }
    Buffer found = std::move(*best);
    free_.erase(best);
    return found;
  }

  memory add_result(const memory::desc& layout) {
    buffers_.push_back(take_buffer(layout.get_size()));
    results_.emplace_back(layout, engine_, buffers_.back()->data());
    return results_.back();
  }

  // `values` in the layout that a primitive asks for.
  memory packed(const Tensor& values, const memory::desc& plain, const memory::desc& wanted) {
    memory from(plain, engine_, const_cast<float*>(values.data()));
    memory to(wanted, engine_);
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  // The tensor that the next operation adds to this result, if it does.
  std::size_t added_to(std::size_t index) const {
    if (index + 1 < graph_.nodes.size()) {
      const nn::Node& next = graph_.nodes[index + 1];
      if (std::holds_alternative<nn::AddNode>(next.operation)) {
        return next.inputs[0] == index ? next.inputs[1] : next.inputs[0];
      }
    }
    return 0;
  }

  void add(const nn::Node& node, const nn::InputNode&) {
    // With its channels in blocks, the first convolution wants those of the image in planes.
    const Tag tag = layout_ == Tag::nhwc ? Tag::nhwc : Tag::nchw;
    const memory::dims shape = dims(node.shape);
    results_.push_back(packed(input_, described(shape, Tag::nhwc), described(shape, tag)));
    buffers_.push_back(nullptr);
  }

  void add(const nn::Node& node, const nn::ConvolutionNode& convolution) {
    const auto& [stride, padding, dilation, groups, bounds] = convolution.options;
    const std::size_t residual = added_to(results_.size());
    dnnl::post_ops after;
    if (residual != 0) {
      after.append_sum();
    }
    if (bounds.lo > nn::Bounds{}.lo) {
      after.append_eltwise(dnnl::algorithm::eltwise_clip, bounds.lo, bounds.hi);
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(after);
    memory::dims extents = dims(convolution.weight.shape());
    if (groups > 1) {
      extents.insert(extents.begin(), static_cast<memory::dim>(groups));
      extents[1] = 1;
    }
    const memory source = results_[node.inputs[0]];
    const memory::desc bias = described({dims(node.shape)[1]}, Tag::x);
    const dnnl::convolution_forward::primitive_desc chosen(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        source.get_desc(), described(extents), bias,
        residual != 0 ? results_[residual].get_desc() : described(dims(node.shape), layout_),
        pair(stride.h, stride.w), pair(padding.top, padding.left),
        pair(padding.bottom, padding.right), attributes);
    if (residual != 0) {
      buffers_.push_back(std::move(buffers_[residual]));
      results_.push_back(results_[residual]);
    } else {
      add_result(chosen.dst_desc());
    }
    const memory::desc plain = described(extents, groups > 1 ? Tag::goihw : Tag::ohwi);
    steps_.push_back({dnnl::convolution_forward(chosen),
                      {{DNNL_ARG_SRC, source},
                       {DNNL_ARG_WEIGHTS, packed(convolution.weight, plain, chosen.weights_desc())},
                       {DNNL_ARG_BIAS, packed(convolution.bias, bias, bias)},
                       {DNNL_ARG_DST, results_.back()}}});
  }

  // Done by the convolution before, in the memory of its result.
  void add(const nn::Node&, const nn::AddNode&) {
    buffers_.push_back(std::move(buffers_.back()));
    results_.push_back(results_.back());
  }

  void add(const nn::Node& node, const nn::PoolNode&) {
    const memory source = results_[node.inputs[0]];
    const memory::dims from = source.get_desc().get_dims();
    const dnnl::pooling_forward::primitive_desc chosen(
        engine_, dnnl::prop_kind::forward_inference, dnnl::algorithm::pooling_avg_exclude_padding,
        source.get_desc(), described({from[0], from[1], 1, 1}), pair(1, 1), {from[2], from[3]},
        pair(0, 0), pair(0, 0), pair(0, 0));
    add_result(chosen.dst_desc());
    steps_.push_back(
        {dnnl::pooling_forward(chosen), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, results_.back()}}});
  }

  void add(const nn::Node& node, const nn::LinearNode& linear) {
    // One pixel has the same layout everywhere.
    const Shape& input = graph_.nodes[node.inputs[0]].shape;
    const memory source(described(dims(input), Tag::nc), engine_,
                        results_[node.inputs[0]].get_data_handle());
    const memory::dims extents = dims(linear.weight.shape());
    const memory::desc bias = described({extents[0]}, Tag::x);
    const dnnl::inner_product_forward::primitive_desc chosen(
        engine_, dnnl::prop_kind::forward_inference, source.get_desc(), described(extents), bias,
        described(dims(node.shape), Tag::nc));
    add_result(chosen.dst_desc());
    const memory weight = packed(linear.weight, described(extents, Tag::oi), chosen.weights_desc());
    steps_.push_back({dnnl::inner_product_forward(chosen),
                      {{DNNL_ARG_SRC, source},
                       {DNNL_ARG_WEIGHTS, weight},
                       {DNNL_ARG_BIAS, packed(linear.bias, bias, bias)},
                       {DNNL_ARG_DST, results_.back()}}});
  }

  template <class Other>
  void add(const nn::Node& node, const Other&) {
    throw Error("onednn_peer: has no such operation: " + node.name);
  }

  const nn::Graph& graph_;
  const Tensor& input_;
  Tag layout_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_;
  std::vector<std::size_t> last_use_;  // of each node's tensor, as an index of a node
  std::vector<memory> results_;        // of the nodes so far
  std::vector<Buffer> buffers_;        // their memory while it is in use
  std::vector<Buffer> free_;
  std::vector<Step> steps_;
};

std::string name() {
  const dnnl::version_t* version = dnnl::version();
  return text("oneDNN ", version->major, ".", version->minor);
}

double seconds(Chain& chain) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  chain.run();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::unique_ptr<benchmarks::Runner> fastest(const benchmarks::Task& task, std::span<float> logits) {
  omp_set_num_threads(static_cast<int>(task.threads));
  std::unique_ptr<Chain> best;
  double best_seconds = std::numeric_limits<double>::infinity();
  for (const Tag layout : {Tag::nhwc, Tag::nChw16c, Tag::nChw8c}) {
    auto chain = std::make_unique<Chain>(task, logits, layout);
    chain->run();
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 5; ++i) {
      least = std::min(least, seconds(*chain));
    }
    if (least < best_seconds) {
      best = std::move(chain);
      best_seconds = least;
    }
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) { return benchmarks::serve(argc, argv, name(), fastest); }

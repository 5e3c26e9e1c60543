#include "core/autograd.h"

#include <algorithm>
#include <atomic>
#include <unordered_set>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace lamina {
namespace {

using detail::GradientNode;
using Nodes = std::vector<std::shared_ptr<GradientNode>>;

thread_local bool is_recording = true;
thread_local const char* running_op = "";

std::uint64_t next_order() {
  static std::atomic<std::uint64_t> order{0};
  return order.fetch_add(1, std::memory_order_relaxed);
}

// Every node that `root`'s gradient reaches, the root first, each after all that use it.
Nodes in_order_of_use(const std::shared_ptr<GradientNode>& root) {
  Nodes found = {root};
  std::unordered_set<const GradientNode*> seen = {root.get()};
  for (std::size_t next = 0; next < found.size(); ++next) {
    const GradientNode& node = *found[next];
    check(!node.was_used, "backward: the gradient of ", node.op,
          " was already taken: what it saved", " is freed as it is used, compute its result ",
          node.shape, " again");
    for (const auto& input : Nodes(node.inputs)) {
      if (input != nullptr && seen.insert(input.get()).second) {
        found.push_back(input);
      }
    }
  }
  std::ranges::sort(found, [](const auto& a, const auto& b) { return a->order > b->order; });
  return found;
}

void add_to(Tensor& sum, const Tensor& term) {
  constexpr std::size_t kBlock = 16 * 1024;
  const std::size_t size = sum.size();
  float* to = sum.data();
  const float* from = term.data();
  parallel_for((size + kBlock - 1) / kBlock, [&](std::size_t block) {
    const std::size_t end = std::min(size, (block + 1) * kBlock);
    for (std::size_t i = block * kBlock; i < end; ++i) {
      to[i] += from[i];
    }
  });
}

void accumulate(GradientNode& node, Tensor gradient) {
  check(gradient.shape() == node.shape,
        "backward: a gradient must have its tensor's shape: ", running_op, " gave ",
        gradient.shape(), " for ", node.shape);
  if (node.gradient.empty()) {
    const bool is_leaf = node.op == nullptr;  // its gradient is the user's to change
    node.gradient = is_leaf && gradient.is_shared() ? gradient.clone() : std::move(gradient);
    return;
  }
  if (node.gradient.is_shared()) {
    node.gradient = node.gradient.clone();
  }
  add_to(node.gradient, gradient);
}

void run(GradientNode& node) {
  node.was_used = true;
  const Tensor dy = std::exchange(node.gradient, {});
  const Backward backward = std::exchange(node.backward, nullptr);
  const Nodes inputs = std::exchange(node.inputs, {});
  if (dy.empty()) {
    return;
  }
  running_op = node.op;
  std::vector<Tensor> gradients = backward(dy);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr && !gradients.at(i).empty()) {
      accumulate(*inputs[i], std::move(gradients[i]));
    }
  }
}

// Whatever ends a backward pass: no gradient stays behind for the next one to add to.
class Pass {
 public:
  explicit Pass(const std::shared_ptr<GradientNode>& root) : nodes_(in_order_of_use(root)) {}
  ~Pass() {
    running_op = "";
    for (const auto& node : nodes_) {
      if (node != nullptr && node->op != nullptr) {
        node->gradient = {};
      }
    }
  }
  Pass(const Pass&) = delete;
  Pass& operator=(const Pass&) = delete;

  void run_all() {
    for (auto& node : nodes_) {
      if (node->op != nullptr) {
        run(*node);
      }
      node = nullptr;
    }
  }

 private:
  Nodes nodes_;
};

}  // namespace

NoGrad::NoGrad() : outer_(std::exchange(is_recording, false)) {}
NoGrad::~NoGrad() { is_recording = outer_; }

bool needs_gradient(std::span<const Tensor* const> inputs) {
  return is_recording && std::ranges::any_of(inputs, &Tensor::is_tracked);
}

Tensor record(const char* op, const Tensor& y, std::span<const Tensor* const> inputs,
              Backward backward) {
  if (!needs_gradient(inputs)) {
    return y;
  }
  auto node = std::make_shared<GradientNode>();
  node->op = op;
  node->order = next_order();
  node->backward = std::move(backward);
  node->shape = y.shape();
  for (const Tensor* input : inputs) {
    node->inputs.push_back(input->node_);
  }
  Tensor result = y;
  result.node_ = std::move(node);
  return result;
}

const Tensor& Saved::get() const {
  check(tensor_.changes() == changes_, "backward: ", running_op, " saved a tensor ",
        tensor_.shape(), " whose values may have been changed in place since");
  return tensor_;
}

Tensor& Tensor::track() {
  check(node_ == nullptr || node_->op == nullptr,
        "track: a tensor that an operation made is tracked through it: ", shape_);
  if (node_ == nullptr) {
    node_ = std::make_shared<GradientNode>();
    node_->order = next_order();
    node_->shape = shape_;
  }
  return *this;
}

Tensor Tensor::grad() const { return node_ == nullptr ? Tensor() : node_->gradient; }

void Tensor::set_grad(const Tensor& gradient) {
  check(node_ != nullptr, "set_grad: the tensor must be tracked: ", shape_, " is not");
  check(gradient.empty() || gradient.shape() == shape_,
        "set_grad: a gradient must have its tensor's shape: ", gradient.shape(), " for ", shape_);
  node_->gradient = gradient;
}

void Tensor::clear_grad() {
  if (node_ != nullptr) {
    node_->gradient = {};
  }
}

void Tensor::backward() const {
  check(size() == 1, "backward: without a gradient given the tensor must have one value: ", shape_,
        " has ", size());
  backward(full(shape_, 1.0f));
}

void Tensor::backward(const Tensor& dy) const {
  check(node_ != nullptr, "backward: the tensor must be tracked: ", shape_,
        " was made from no tracked tensor, or under NoGrad");
  check(dy.shape() == shape_, "backward: the gradient must have the tensor's shape: ", dy.shape(),
        " for ", shape_);
  Pass pass(node_);
  const NoGrad no_grad;
  accumulate(*node_, dy);
  pass.run_all();
}

Tensor Tensor::reshape(const Shape& shape) const {
  check(shape.size() == size(), "reshape: the number of elements must stay the same: ", shape_,
        " has ", size(), ", ", shape, " has ", shape.size());
  Tensor result = detached();
  result.shape_ = shape;
  return record("reshape", result, {this}, [from = shape_](const Tensor& dy) {
    return std::vector<Tensor>{dy.reshape(from)};
  });
}

namespace detail {

GradientNode::~GradientNode() {
  Nodes last = std::move(inputs);
  while (!last.empty()) {
    const std::shared_ptr<GradientNode> node = std::move(last.back());
    last.pop_back();
    if (node != nullptr && node.use_count() == 1) {
      backward = nullptr;
      std::ranges::move(std::exchange(node->inputs, {}), std::back_inserter(last));
    }
  }
}

}  // namespace detail
}  // namespace lamina

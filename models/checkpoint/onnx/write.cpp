#include <cmath>
#include <cstring>
#include <limits>
#include <onnx.pb.h>

#include "core/atomic_file.h"
#include "core/error.h"
#include "models/checkpoint/onnx.h"
#include "models/checkpoint/onnx/write_names.h"

namespace lamina::models {
namespace {

namespace proto = onnx::proto;
using onnx::UniqueNames;

constexpr std::int64_t kIrVersion13 = 7;
constexpr std::int64_t kIrVersion17 = 8;
constexpr const char* kBatch = "N";

proto::Attribute* add_attribute(proto::Node* node, const char* name, proto::Attribute::Type type) {
  proto::Attribute* attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

void add_integer(proto::Node* node, const char* name, std::size_t value) {
  add_attribute(node, name, proto::Attribute::INT)->set_i(static_cast<std::int64_t>(value));
}

void add_number(proto::Node* node, const char* name, float value) {
  add_attribute(node, name, proto::Attribute::FLOAT)->set_f(value);
}

void add_integers(proto::Node* node, const char* name, std::initializer_list<std::size_t> values) {
  proto::Attribute* attribute = add_attribute(node, name, proto::Attribute::INTS);
  for (const std::size_t value : values) {
    attribute->add_ints(static_cast<std::int64_t>(value));
  }
}

void set_floats(proto::Tensor* tensor, std::span<const float> values,
                std::initializer_list<std::size_t> dims) {
  tensor->set_data_type(proto::Tensor::FLOAT);
  for (const std::size_t extent : dims) {
    tensor->add_dims(static_cast<std::int64_t>(extent));
  }
  tensor->set_raw_data(values.data(), values.size_bytes());
}

// [N, H, W, C] becomes [N, C, H, W].
void set_type(proto::ValueInfo* value, const std::string& name, const Shape& shape) {
  value->set_name(name);
  proto::TensorType* type = value->mutable_type()->mutable_tensor_type();
  type->set_elem_type(proto::Tensor::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param(kBatch);
  const auto add = [&](std::size_t extent) {
    type->mutable_shape()->add_dim()->set_dim_value(static_cast<std::int64_t>(extent));
  };
  add(shape[shape.rank() - 1]);
  if (shape.rank() == 4) {
    add(shape[1]);
    add(shape[2]);
  }
}

// [O, KH, KW, I] to [O, I, KH, KW].
std::vector<float> channels_first(const Tensor& weight) {
  const Shape& shape = weight.shape();
  const std::size_t taps = shape[1] * shape[2];
  const std::size_t inputs = shape[3];
  std::vector<float> values(weight.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t tap = i % taps;
    const std::size_t row = i / taps;
    values[i] = weight.data()[(row / inputs * taps + tap) * inputs + row % inputs];
  }
  return values;
}

class Writer {
 public:
  Writer(const nn::Graph& graph, const OnnxExport& options) : graph_(graph), options_(options) {
    check(options.opset == 13 || options.opset == 17, "onnx: opset must be 13 or 17: got ",
          options.opset);
    check(!graph.nodes.empty() && graph.output < graph.nodes.size(),
          "onnx: the graph must have an output: it has ", graph.nodes.size(), " nodes");
    const Shape& input = graph.nodes.front().shape;
    check(input.rank() == 4, "onnx: the input must be [N, H, W, C]: got ", input);
    for (const std::string& name : {options.input, options.output}) {
      check(!name.empty() && names_.make(name) == name,
            "onnx: input and output must have names of their own: they are \"", options.input,
            "\" and \"", options.output, '"');
    }
  }

  proto::Model write() {
    model_.set_ir_version(options_.opset == 13 ? kIrVersion13 : kIrVersion17);
    model_.set_producer_name("lamina");
    proto::OperatorSet* opset = model_.add_opset_import();
    opset->set_domain("");
    opset->set_version(options_.opset);
    proto::Graph* graph = model_.mutable_graph();
    graph->set_name("main_graph");
    set_type(graph->add_input(), options_.input, graph_.nodes.front().shape);
    values_.assign(graph_.nodes.size(), options_.input);
    for (index_ = 1; index_ < graph_.nodes.size(); ++index_) {
      std::visit([this](const auto& operation) { add(operation); }, node().operation);
    }
    finish_output();
    for (const auto& [key, value] : options_.metadata) {
      proto::Entry* entry = model_.add_metadata_props();
      entry->set_key(key);
      entry->set_value(value);
    }
    return std::move(model_);
  }

 private:
  const nn::Node& node() const { return graph_.nodes[index_]; }
  proto::Graph& graph() { return *model_.mutable_graph(); }

  // A node of that operation that takes `input`; its result stands for the graph's node from now.
  proto::Node* push(const char* op_type, const std::string& input) {
    proto::Node* added = graph().add_node();
    added->set_name(names_.make(text(onnx::scope_of(node().name), '/', op_type)));
    added->set_op_type(op_type);
    added->add_input(input);
    added->add_output(added->name() + "_output_0");
    values_[index_] = added->output(0);
    return added;
  }

  std::string input(std::size_t i) const { return values_[node().inputs[i]]; }

  void add_weight(proto::Node* to, const char* name, std::span<const float> values,
                  std::initializer_list<std::size_t> dims) {
    proto::Tensor* tensor = graph().add_initializer();
    tensor->set_name(names_.make(text(node().name, '.', name)));
    set_floats(tensor, values, dims);
    to->add_input(tensor->name());
  }

  std::string constant(float value) {
    if (std::isinf(value)) {
      return {};
    }
    proto::Node* added = push("Constant", {});
    added->clear_input();
    set_floats(add_attribute(added, "value", proto::Attribute::TENSOR)->mutable_t(), {&value, 1},
               {});
    return added->output(0);
  }

  void add_bounds(nn::Bounds bounds) {
    if (std::isinf(bounds.lo) && std::isinf(bounds.hi)) {
      return;
    }
    const std::string x = values_[index_];
    if (bounds.lo == 0.0f && std::isinf(bounds.hi)) {
      push("Relu", x);
      return;
    }
    const std::string lo = constant(bounds.lo);
    const std::string hi = constant(bounds.hi);
    proto::Node* clip = push("Clip", x);
    clip->add_input(lo);
    clip->add_input(hi);
  }

  void add(const nn::InputNode&) {}

  void add(const nn::ConvolutionNode& convolution) {
    const Shape& w = convolution.weight.shape();
    const auto& [stride, padding, dilation, groups, bounds] = convolution.options;
    proto::Node* conv = push("Conv", input(0));
    add_weight(conv, "weight", channels_first(convolution.weight), {w[0], w[3], w[1], w[2]});
    if (!convolution.bias.empty()) {
      add_weight(conv, "bias", convolution.bias.values(), {w[0]});
    }
    add_integers(conv, "dilations", {dilation.h, dilation.w});
    add_integer(conv, "group", groups);
    add_integers(conv, "kernel_shape", {w[1], w[2]});
    add_integers(conv, "pads", {padding.top, padding.left, padding.bottom, padding.right});
    add_integers(conv, "strides", {stride.h, stride.w});
    add_bounds(bounds);
  }

  void add(const nn::BatchNormNode& norm) {
    proto::Node* added = push("BatchNormalization", input(0));
    const std::size_t channels = norm.gamma.size();
    add_weight(added, "weight", norm.gamma.values(), {channels});
    add_weight(added, "bias", norm.beta.values(), {channels});
    add_weight(added, "running_mean", norm.mean.values(), {channels});
    add_weight(added, "running_var", norm.variance.values(), {channels});
    add_number(added, "epsilon", norm.options.epsilon);
    add_bounds(norm.options.bounds);
  }

  void add(const nn::ClampNode& clamp) {
    values_[index_] = input(0);
    add_bounds(clamp.bounds);
  }

  void add(const nn::AddNode&) { push("Add", input(0))->add_input(input(1)); }

  void add(const nn::PoolNode&) {
    push("GlobalAveragePool", input(0));
    add_integer(push("Flatten", values_[index_]), "axis", 1);
  }

  void add(const nn::LinearNode& linear) {
    const Shape& w = linear.weight.shape();
    proto::Node* gemm = push("Gemm", input(0));
    add_weight(gemm, "weight", linear.weight.values(), {w[0], w[1]});
    if (!linear.bias.empty()) {
      add_weight(gemm, "bias", linear.bias.values(), {w[0]});
    }
    add_number(gemm, "alpha", 1.0f);
    add_number(gemm, "beta", 1.0f);
    add_integer(gemm, "transB", 1);
  }

  void add(const nn::SoftmaxNode&) { add_integer(push("Softmax", input(0)), "axis", 1); }

  // The last operation takes the output's name; where that is read by others, a copy does.
  void finish_output() {
    index_ = graph_.output;
    const bool is_last = graph_.output + 1 == graph_.nodes.size() && graph().node_size() > 0 &&
                         values_[index_] == last_node()->output(0);
    (is_last ? last_node() : push("Identity", values_[index_]))->set_output(0, options_.output);
    set_type(graph().add_output(), options_.output, node().shape);
  }

  proto::Node* last_node() { return graph().mutable_node(graph().node_size() - 1); }

  const nn::Graph& graph_;
  const OnnxExport& options_;
  proto::Model model_;
  UniqueNames names_;
  std::vector<std::string> values_;  // the name of each node's result
  std::size_t index_ = 0;
};

}  // namespace

void write_onnx(const std::filesystem::path& path, const nn::Graph& graph,
                const OnnxExport& options) {
  const proto::Model model = Writer(graph, options).write();
  const std::size_t bytes = model.ByteSizeLong();
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max());
  check(bytes <= kMost, "onnx: ", path.string(), ": must have at most ", kMost,
        " bytes: it would have ", bytes);
  const std::string content = model.SerializeAsString();
  AtomicFile file("onnx", path);
  file.write(content.data(), content.size());
  file.commit();
}

}  // namespace lamina::models

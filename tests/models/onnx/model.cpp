#include "tests/models/onnx/model.h"

namespace lamina::test {

proto::Attribute* OnnxNode::add(const char* name, proto::Attribute::Type type) {
  proto::Attribute* attribute = node_->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

OnnxNode& OnnxNode::with(const char* name, std::int64_t value) {
  add(name, proto::Attribute::INT)->set_i(value);
  return *this;
}

OnnxNode& OnnxNode::with(const char* name, float value) {
  add(name, proto::Attribute::FLOAT)->set_f(value);
  return *this;
}

OnnxNode& OnnxNode::with(const char* name, const char* value) {
  add(name, proto::Attribute::STRING)->set_s(value);
  return *this;
}

OnnxNode& OnnxNode::with(const char* name, const Integers& values) {
  proto::Attribute* attribute = add(name, proto::Attribute::INTS);
  attribute->mutable_ints()->Add(values.begin(), values.end());
  return *this;
}

proto::Tensor* OnnxNode::tensor(const char* name) {
  return add(name, proto::Attribute::TENSOR)->mutable_t();
}

OnnxModel::OnnxModel(std::int64_t opset, const Integers& input) {
  model_.set_ir_version(opset < 15 ? 7 : 8);
  proto::OperatorSet* set = model_.add_opset_import();
  set->set_domain("");
  set->set_version(opset);
  proto::Graph* graph = model_.mutable_graph();
  graph->set_name("test");
  proto::ValueInfo* x = graph->add_input();
  x->set_name("x");
  proto::TensorType* type = x->mutable_type()->mutable_tensor_type();
  type->set_elem_type(proto::Tensor::FLOAT);
  for (const std::int64_t extent : input) {
    proto::Dimension* dim = type->mutable_shape()->add_dim();
    if (extent > 0) {
      dim->set_dim_value(extent);
    } else {
      dim->set_dim_param("N");
    }
  }
  proto::ValueInfo* y = graph->add_output();
  y->set_name("y");
  y->mutable_type()->mutable_tensor_type()->set_elem_type(proto::Tensor::FLOAT);
}

OnnxNode OnnxModel::node(const char* op_type, const std::vector<std::string>& inputs,
                         const std::string& output) {
  proto::Node* node = model_.mutable_graph()->add_node();
  node->set_op_type(op_type);
  node->set_name("make_" + output);
  for (const std::string& input : inputs) {
    node->add_input(input);
  }
  node->add_output(output);
  return OnnxNode(node);
}

proto::Tensor* OnnxModel::initializer(const std::string& name, const Integers& dims, int type) {
  proto::Tensor* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->mutable_dims()->Add(dims.begin(), dims.end());
  tensor->set_data_type(type);
  return tensor;
}

OnnxModel& OnnxModel::floats(const std::string& name, const Integers& dims, const Tensor& values) {
  initializer(name, dims, proto::Tensor::FLOAT)
      ->set_raw_data(values.data(), values.size() * sizeof(float));
  return *this;
}

OnnxModel& OnnxModel::floats(const std::string& name, const Integers& dims,
                             const std::vector<float>& values) {
  return floats(name, dims, Tensor::from({values.size()}, values));
}

OnnxModel& OnnxModel::integers(const std::string& name, const Integers& values) {
  initializer(name, {static_cast<std::int64_t>(values.size())}, proto::Tensor::INT64)
      ->mutable_int64_data()
      ->Add(values.begin(), values.end());
  return *this;
}

std::vector<std::uint8_t> OnnxModel::bytes() const {
  const std::string bytes = model_.SerializeAsString();
  return {bytes.begin(), bytes.end()};
}

Tensor to_oihw(const Tensor& weight) {
  const Shape& w = weight.shape();
  Tensor result = Tensor::uninitialized({w[0], w[3], w[1], w[2]});
  std::size_t to = 0;
  for (std::size_t o = 0; o < w[0]; ++o) {
    for (std::size_t i = 0; i < w[3]; ++i) {
      for (std::size_t tap = 0; tap < w[1] * w[2]; ++tap) {
        result.data()[to++] = weight.data()[(o * w[1] * w[2] + tap) * w[3] + i];
      }
    }
  }
  return result;
}

}  // namespace lamina::test

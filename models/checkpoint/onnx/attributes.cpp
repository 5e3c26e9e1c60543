#include "models/checkpoint/onnx/attributes.h"

#include "core/error.h"

namespace lamina::models::onnx {

const proto::Attribute* Attributes::find(const char* name) const {
  for (const proto::Attribute& attribute : node_.attribute()) {
    if (attribute.name() == name) {
      return &attribute;
    }
  }
  return nullptr;
}

// Files of the first versions leave the type out.
const proto::Attribute* Attributes::find(const char* name, proto::Attribute::Type type) const {
  const proto::Attribute* attribute = find(name);
  check(attribute == nullptr || !attribute->has_type() || attribute->type() == type, "attribute ",
        name, " must be of type ", static_cast<int>(type), ": it is of type ",
        attribute == nullptr ? 0 : static_cast<int>(attribute->type()));
  return attribute;
}

std::int64_t Attributes::integer(const char* name, std::int64_t otherwise) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::INT);
  return attribute == nullptr ? otherwise : attribute->i();
}

float Attributes::number(const char* name, float otherwise) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::FLOAT);
  return attribute == nullptr ? otherwise : attribute->f();
}

std::string Attributes::word(const char* name, const char* otherwise) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::STRING);
  return attribute == nullptr ? otherwise : attribute->s();
}

std::vector<std::int64_t> Attributes::integers(const char* name) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::INTS);
  return attribute == nullptr
             ? std::vector<std::int64_t>{}
             : std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::vector<float> Attributes::numbers(const char* name) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::FLOATS);
  return attribute == nullptr
             ? std::vector<float>{}
             : std::vector<float>(attribute->floats().begin(), attribute->floats().end());
}

const proto::Tensor* Attributes::tensor(const char* name) const {
  const proto::Attribute* attribute = find(name, proto::Attribute::TENSOR);
  return attribute == nullptr ? nullptr : &attribute->t();
}

}  // namespace lamina::models::onnx

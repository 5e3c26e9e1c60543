#include "nn/module.h"

#include <utility>

namespace lamina::nn {
namespace {

std::string joined(const std::string& prefix, std::string_view name) {
  if (prefix.empty() || name.empty()) {
    return prefix + std::string(name);
  }
  return prefix + '.' + std::string(name);
}

class TensorCollector : public Members {
 public:
  void parameter(std::string_view name, Tensor& value) override {
    tensors.push_back({joined(prefix_, name), TensorKind::parameter, &value});
  }
  void buffer(std::string_view name, Tensor& value) override {
    tensors.push_back({joined(prefix_, name), TensorKind::buffer, &value});
  }
  void module(std::string_view name, Module& part) override {
    const std::string outer = std::exchange(prefix_, joined(prefix_, name));
    part.members(*this);
    prefix_ = outer;
  }

  std::vector<NamedTensor> tensors;

 private:
  std::string prefix_;
};

class ModuleVisitor : public Members {
 public:
  using Visit = std::function<void(const std::string& name, Module&)>;
  explicit ModuleVisitor(const Visit& visit) : visit_(visit) {}

  void parameter(std::string_view, Tensor&) override {}
  void buffer(std::string_view, Tensor&) override {}
  void module(std::string_view name, Module& part) override {
    const std::string outer = std::exchange(prefix_, joined(prefix_, name));
    visit_(prefix_, part);
    part.members(*this);
    prefix_ = outer;
  }

 private:
  const Visit& visit_;
  std::string prefix_;
};

// The parameters of one module without its parts'.
class OwnParameters : public Members {
 public:
  explicit OwnParameters(Module& module) { module.members(*this); }

  void parameter(std::string_view, Tensor& value) override { tensors.push_back(&value); }
  void buffer(std::string_view, Tensor&) override {}
  void module(std::string_view, Module&) override {}

  std::vector<Tensor*> tensors;
};

}  // namespace

void Module::set_training(bool on) {
  is_training_ = on;
  for (Tensor* parameter : OwnParameters(*this).tensors) {
    if (on) {
      parameter->track();
    } else {
      *parameter = parameter->detached();
    }
  }
}

void Module::train() {
  for_each_module(*this,
                  [](const std::string&, Module& part) { part.set_training(!part.is_frozen_); });
}

void Module::eval() {
  for_each_module(*this, [](const std::string&, Module& part) { part.set_training(false); });
}

void Module::freeze() {
  for_each_module(*this, [](const std::string&, Module& part) {
    part.is_frozen_ = true;
    part.set_training(false);
  });
}

void Module::unfreeze() {
  for_each_module(*this, [](const std::string&, Module& part) { part.is_frozen_ = false; });
}

std::vector<NamedTensor> named_tensors(Module& module) {
  TensorCollector collector;
  collector.module("", module);
  return std::move(collector.tensors);
}

std::vector<NamedTensor> parameters(Module& module) {
  std::vector<NamedTensor> found = named_tensors(module);
  std::erase_if(found, [](const NamedTensor& tensor) { return tensor.kind == TensorKind::buffer; });
  return found;
}

void for_each_module(Module& module,
                     const std::function<void(const std::string& name, Module&)>& visit) {
  ModuleVisitor(visit).module("", module);
}

}  // namespace lamina::nn

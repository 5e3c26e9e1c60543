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

}  // namespace

std::vector<NamedTensor> named_tensors(Module& module) {
  TensorCollector collector;
  collector.module("", module);
  return std::move(collector.tensors);
}

void for_each_module(Module& module,
                     const std::function<void(const std::string& name, Module&)>& visit) {
  ModuleVisitor(visit).module("", module);
}

}  // namespace lamina::nn

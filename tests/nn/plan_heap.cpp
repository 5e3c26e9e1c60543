#include <atomic>
#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>
#include <limits>
#include <new>

#include "core/parallel.h"
#include "nn/layers.h"
#include "nn/plan.h"
#include "tests/support/tensors.h"

// Counts what operator new hands out in this program.
namespace {
std::atomic<std::size_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  allocations.fetch_add(1);
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* memory = std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return counted(size, alignof(std::max_align_t));
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

namespace lamina {
namespace {

nn::Plan small_plan(nn::Sequential& net, float scale) {
  using nn::ConvNormActivation;
  auto& stem = net.emplace<ConvNormActivation>(
      nn::Conv2dLayerOptions{.in_channels = 3, .out_channels = 16, .kernel = 3, .stride = 2},
      ConvNormActivation::Activation::relu6, 1e-5f);
  net.emplace<ConvNormActivation>(
      nn::Conv2dLayerOptions{.in_channels = 16, .out_channels = 16, .kernel = 3, .groups = 16},
      ConvNormActivation::Activation::relu6, 1e-5f);
  net.emplace<ConvNormActivation>(nn::Conv2dLayerOptions{.in_channels = 16, .out_channels = 8},
                                  ConvNormActivation::Activation::none, 1e-5f);
  static_cast<void>(stem);
  for (const nn::NamedTensor& tensor : nn::named_tensors(net)) {
    for (float& value : tensor.value->values()) {
      value = tensor.name.ends_with("running_var") ? 1.0f : scale;
    }
  }
  return nn::compile(nn::trace(net, {1, 64, 64, 3}));
}

TEST(PlanHeap, ThousandRunsAllocateNothing) {
  nn::Sequential net;
  const nn::Plan plan = small_plan(net, 0.1f);
  const Tensor x = test::random_tensor({1, 64, 64, 3}, 1);
  Tensor y = Tensor::zeros({1, 32, 32, 8});
  for (const std::size_t threads : {1u, 2u}) {
    const test::ScopedThreads scoped(threads);
    nn::Workspace workspace = plan.workspace(threads);
    for (int i = 0; i < 20; ++i) {  // the thread pool starts
      plan.run(x.values(), y.values(), workspace);
    }
    const std::size_t before = allocations.load();
    for (int i = 0; i < 1000; ++i) {
      plan.run(x.values(), y.values(), workspace);
    }
    EXPECT_EQ(allocations.load() - before, 0u) << threads << " threads";
  }
}

// 1e-30 times 0.1 three times over is a denormal: zero inside of the plan, itself outside of it.
TEST(PlanHeap, FlushesDenormalsAndRestoresTheCallersState) {
  nn::Sequential net;
  const nn::Plan plan = small_plan(net, 1e-20f);
  volatile float tiny = 1e-30f;
  volatile float small = 1e-10f;
  EXPECT_NE(tiny * small, 0.0f);
  const Tensor x = Tensor::full({1, 64, 64, 3}, 1e-20f);
  Tensor y = plan(x);
  for (const float value : y.values()) {
    EXPECT_TRUE(value == 0.0f || std::abs(value) >= std::numeric_limits<float>::min());
  }
  EXPECT_NE(tiny * small, 0.0f);
}

}  // namespace
}  // namespace lamina

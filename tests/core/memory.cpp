#include "core/memory.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "core/tensor.h"

namespace lamina {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
const Shape kLarge = {5 * kMegabyte / sizeof(float)};

TEST(Memory, ReusesLargeBlocks) {
  release_idle_memory();
  const MemoryUse before = memory_use();
  const float* first = nullptr;
  {
    const Tensor tensor = Tensor::uninitialized(kLarge);
    first = tensor.data();
    EXPECT_EQ(memory_use().used, before.used + 5 * kMegabyte);
    EXPECT_EQ(memory_use().idle, 0u);
  }
  EXPECT_EQ(memory_use().idle, 5 * kMegabyte);
  const Tensor again = Tensor::uninitialized(kLarge);
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(memory_use().idle, 0u);
  EXPECT_GE(memory_use().peak, memory_use().used);
}

TEST(Memory, GivesIdleBlocksBack) {
  Tensor::uninitialized(kLarge);
  EXPECT_GE(memory_use().idle, 5 * kMegabyte);
  release_idle_memory();
  EXPECT_EQ(memory_use().idle, 0u);
}

TEST(Memory, ReturnsWhatLongNobodyTook) {
  release_idle_memory();
  Tensor::uninitialized({9 * kMegabyte / sizeof(float)});
  for (int i = 0; i < 5000; ++i) {
    Tensor::uninitialized(kLarge);
  }
  EXPECT_EQ(memory_use().idle, 5 * kMegabyte);
}

TEST(Memory, AlignsEveryBlock) {
  std::vector<Tensor> tensors;
  for (const std::size_t size : {1u, 17u, 100'000u, 262'144u, 262'145u, 1'000'003u, 3'000'000u}) {
    Tensor tensor = Tensor::uninitialized({size});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % Tensor::kAlignment, 0u) << size;
    tensor.data()[size - 1] = 1.0f;
    tensors.push_back(tensor);
  }
}

TEST(Memory, ServesThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) {
        Tensor tensor = Tensor::full(kLarge, static_cast<float>(t));
        ASSERT_EQ(tensor.data()[kLarge.size() - 1], static_cast<float>(t));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace
}  // namespace lamina

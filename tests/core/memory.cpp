#include "core/memory.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <thread>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace lamina {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
const Shape kLarge = {5 * kMegabyte / sizeof(float)};

// Under a sanitizer that watches every block nothing is kept.
class Memory : public testing::Test {
 protected:
  void SetUp() override {
    release_idle_memory();
    const std::size_t before = memory_use().used;
    const Tensor tensor = Tensor::uninitialized(kLarge);
    if (memory_use().used == before) {
      GTEST_SKIP() << "this build keeps no memory";
    }
    release_idle_memory();
  }
};

TEST_F(Memory, ReusesLargeBlocks) {
  release_idle_memory();
  const MemoryUse before = memory_use();
  const float* first = nullptr;
  {
    Tensor tensor = Tensor::full(kLarge, 1.0f);
    first = tensor.data();
    EXPECT_EQ(memory_use().used, before.used + 5 * kMegabyte);
  }
  EXPECT_EQ(memory_use().idle, before.idle + 5 * kMegabyte);
  const Tensor again = Tensor::uninitialized(kLarge);
  EXPECT_EQ(again.data(), first);
  EXPECT_EQ(memory_use().idle, before.idle);
  EXPECT_GE(memory_use().peak, memory_use().used);
}

// What a backward pass needs: many small results make room for a large gradient.
TEST_F(Memory, JoinsNeighborsIntoLargerBlocks) {
  const std::size_t before = memory_use().peak;
  const float* lowest = nullptr;
  {
    std::vector<Tensor> tensors;
    for (int i = 0; i < 8; ++i) {
      tensors.push_back(Tensor::full(kLarge, 1.0f));
    }
    lowest = std::as_const(tensors.front()).data();
    std::swap(tensors[1], tensors[6]);  // not freed in order
  }
  const std::size_t idle = memory_use().idle;
  const Tensor large = Tensor::full({8 * kLarge.size()}, 2.0f);
  EXPECT_EQ(large.data(), lowest);
  EXPECT_EQ(memory_use().idle + 40 * kMegabyte, idle);
  EXPECT_LE(memory_use().peak, std::max(before, memory_use().used));
}

TEST_F(Memory, GivesIdleMemoryBack) {
  Tensor::full(kLarge, 1.0f);
  EXPECT_GE(memory_use().idle, 5 * kMegabyte);
  release_idle_memory();
  EXPECT_EQ(memory_use().idle, 0u);
  EXPECT_EQ(Tensor::uninitialized(kLarge).values().size(), kLarge.size());
}

TEST_F(Memory, ReturnsWhatLongNobodyUsed) {
  {
    const Tensor low = Tensor::full(kLarge, 1.0f);
    Tensor::full({40 * kLarge.size()}, 1.0f);
  }
  EXPECT_GE(memory_use().idle, 200 * kMegabyte);
  for (int i = 0; i < 80'000; ++i) {
    Tensor::uninitialized(kLarge);
  }
  EXPECT_LE(memory_use().idle, 5 * kMegabyte);
}

TEST_F(Memory, AlignsEveryBlock) {
  std::vector<Tensor> tensors;
  for (const std::size_t size : {1u, 17u, 100'000u, 262'144u, 262'145u, 1'000'003u, 3'000'000u}) {
    Tensor tensor = Tensor::uninitialized({size});
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(tensor.data()) % Tensor::kAlignment, 0u) << size;
    tensor.data()[size - 1] = 1.0f;
    tensors.push_back(tensor);
  }
}

TEST_F(Memory, ServesThreads) {
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

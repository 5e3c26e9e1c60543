#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "nn/isa.h"
#include "nn/ops.h"
#include "tests/support/tensors.h"

namespace lamina {
namespace {

struct Case {
  const char* name;
  Shape x;  // of a batch
  std::function<Tensor(const Tensor& x)> op;
};

Tensor convolve(const Tensor& x, const Shape& w, const nn::Conv2dOptions& options) {
  return nn::conv2d(x, test::random_tensor(w, 2), test::random_tensor({w[0]}, 3), options);
}

const Case kCases[] = {
    {"Pointwise",
     {11, 13, 9, 40},
     [](const Tensor& x) {
       return convolve(x, {72, 1, 1, 40}, {});
     }},
    {"Im2col",
     {11, 31, 29, 3},
     [](const Tensor& x) {
       return convolve(x, {24, 3, 3, 3}, {.stride = 2, .padding = {1, 1, 1, 1}});
     }},
    {"Groups",
     {11, 13, 9, 12},
     [](const Tensor& x) {
       return convolve(x, {20, 3, 3, 3}, {.groups = 4});
     }},
    {"Depthwise",
     {11, 31, 29, 24},
     [](const Tensor& x) {
       return convolve(x, {24, 3, 3, 1}, {.padding = {1, 1, 1, 1}, .groups = 24});
     }},
    {"Linear",
     {11, 300},
     [](const Tensor& x) {
       return nn::linear(x, test::random_tensor({70, 300}, 2), test::random_tensor({70}, 3));
     }},
    {"Pool", {11, 7, 7, 700}, [](const Tensor& x) { return nn::global_average_pool(x); }},
    {"Softmax", {11, 3000}, [](const Tensor& x) { return nn::softmax(x); }},
};

Shape with_batch(const Shape& shape, std::size_t images) {
  std::vector<std::size_t> extents(shape.begin(), shape.end());
  extents[0] = images;
  return Shape(std::span<const std::size_t>(extents));
}

// Images [begin, begin + count) of a batch.
Tensor images_of(const Tensor& x, std::size_t begin, std::size_t count) {
  const std::size_t floats = x.size() / x.shape()[0];
  return Tensor::from(with_batch(x.shape(), count),
                      x.values().subspan(begin * floats, count * floats));
}

class Determinism : public testing::TestWithParam<std::tuple<std::string, Case>> {};

TEST_P(Determinism, SameBitsForAnyNumberOfThreads) {
  const auto& [isa, c] = GetParam();
  const test::ScopedIsa scoped(isa);
  const Tensor x = test::random_tensor(c.x, 1);
  const test::ScopedThreads one(1);
  const Tensor want = c.op(x);
  for (std::size_t threads = 2; threads <= 4; ++threads) {
    const test::ScopedThreads many(threads);
    EXPECT_TRUE(test::same_bits(c.op(x), want)) << threads << " threads";
  }
}

TEST_P(Determinism, SameBitsAnywhereInABatch) {
  const auto& [isa, c] = GetParam();
  const test::ScopedIsa scoped(isa);
  const Tensor x = test::random_tensor(c.x, 1);
  const Tensor want = c.op(x);
  for (const std::size_t count : {1u, 3u}) {
    for (std::size_t begin = 0; begin + count <= c.x[0]; begin += count) {
      EXPECT_TRUE(test::same_bits(c.op(images_of(x, begin, count)), images_of(want, begin, count)))
          << count << " from " << begin;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Determinism,
                         testing::Combine(testing::ValuesIn(nn::available_isas()),
                                          testing::ValuesIn(kCases)),
                         [](const auto& tested) {
                           return std::get<0>(tested.param) + std::get<1>(tested.param).name;
                         });

}  // namespace
}  // namespace lamina

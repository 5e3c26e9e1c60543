#include "tests/support/tensors.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

#include "core/parallel.h"
#include "core/random.h"
#include "nn/isa.h"

namespace lamina::test {

Tensor random_tensor(const Shape& shape, std::uint64_t seed) {
  Tensor x = Tensor::uninitialized(shape);
  Rng rng(seed);
  for (float& value : x.values()) {
    value = rng.uniform(-1.0f, 1.0f);
  }
  return x;
}

std::vector<double> doubles(const Tensor& x) { return {x.values().begin(), x.values().end()}; }

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void expect_near(const Tensor& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) {
    // Written so that a NaN fails.
    ASSERT_TRUE(std::abs(got.data()[i] - want[i]) <= tolerance)
        << "element " << i << " of " << got.shape() << " is " << got.data()[i] << ", not "
        << want[i] << " within " << tolerance;
  }
}

ScopedIsa::ScopedIsa(const std::string& name) : before_(nn::isa()) { nn::set_isa(name); }
ScopedIsa::~ScopedIsa() { nn::set_isa(before_); }

ScopedThreads::ScopedThreads(std::size_t count) : before_(thread_count()) {
  set_thread_count(count);
}
ScopedThreads::~ScopedThreads() { set_thread_count(before_); }

}  // namespace lamina::test

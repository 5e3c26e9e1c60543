#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace lamina::test {

/// Values uniform in [-1, 1).
Tensor random_tensor(const Shape& shape, std::uint64_t seed);

/// The values as doubles.
std::vector<double> doubles(const Tensor& x);

/// True when shapes and every bit are the same.
bool same_bits(const Tensor& a, const Tensor& b);

/// Expects got to have those values, each within `tolerance`.
void expect_near(const Tensor& got, const std::vector<double>& want, double tolerance);

/// Uses one instruction set, and afterwards the one before again.
class ScopedIsa {
 public:
  explicit ScopedIsa(const std::string& name);
  ScopedIsa(const ScopedIsa&) = delete;
  ScopedIsa& operator=(const ScopedIsa&) = delete;
  ~ScopedIsa();

 private:
  std::string before_;
};

/// Uses a number of threads, and afterwards the one before again.
class ScopedThreads {
 public:
  explicit ScopedThreads(std::size_t count);
  ScopedThreads(const ScopedThreads&) = delete;
  ScopedThreads& operator=(const ScopedThreads&) = delete;
  ~ScopedThreads();

 private:
  std::size_t before_;
};

}  // namespace lamina::test

#include "kernels/simd/vec.h"

// Compiled once per instruction set, as the kernels are.
namespace lamina::kernels::LAMINA_ISA {

// Multiply-adds on as many independent sums as registers allow; returns the operations done.
// `result` takes the sums' total, so that none of the work can be left out.
double fma_burst(std::size_t turns, float* result) {
  constexpr int kSums = kRegisters == 32 ? 24 : 12;
  Vec sums[kSums];
  LAMINA_UNROLL
  for (int i = 0; i < kSums; ++i) {
    sums[i] = broadcast(static_cast<float>(i));
  }
  Vec factor = broadcast(0.5f);
  Vec summand = broadcast(1.0f);
  keep(factor);
  keep(summand);
  for (std::size_t turn = 0; turn < turns; ++turn) {
    LAMINA_UNROLL
    for (int i = 0; i < kSums; ++i) {
      sums[i] = fma(sums[i], factor, summand);
    }
  }
  Vec total = sums[0];
  LAMINA_UNROLL
  for (int i = 1; i < kSums; ++i) {
    total = total + sums[i];
  }
  *result = sum_lanes(total);
  return 2.0 * static_cast<double>(turns) * kSums * kLanes;
}

// Reads all values so often, in order; returns the bytes read. `count` is a multiple of 8 vectors.
double read_burst(const float* values, std::size_t count, std::size_t turns, float* result) {
  constexpr std::size_t kSums = 8;
  Vec sums[kSums];
  LAMINA_UNROLL
  for (std::size_t i = 0; i < kSums; ++i) {
    sums[i] = broadcast(0.0f);
  }
  for (std::size_t turn = 0; turn < turns; ++turn) {
    for (const float* at = values; at != values + count; at += kSums * kLanes) {
      LAMINA_UNROLL
      for (std::size_t i = 0; i < kSums; ++i) {
        sums[i] = sums[i] + load(at + i * kLanes);
      }
    }
  }
  Vec total = sums[0];
  LAMINA_UNROLL
  for (std::size_t i = 1; i < kSums; ++i) {
    total = total + sums[i];
  }
  *result = sum_lanes(total);
  return static_cast<double>(turns) * static_cast<double>(count * sizeof(float));
}

}  // namespace lamina::kernels::LAMINA_ISA

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

}  // namespace lamina::kernels::LAMINA_ISA

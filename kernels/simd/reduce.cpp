#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each vector of channels:
//   for each row i: sum[i % 4] += the row's vector; add the four sums up, divide, store.
// Four sums hide the latency of the additions, and each one's rounding error is a quarter of one
// long sum's.
namespace lamina::kernels::LAMINA_ISA {
namespace {

constexpr std::size_t kSums = 4;

template <class Lanes>
LAMINA_INLINE Vec sum_rows(const MeanArgs& args, std::size_t c, Lanes lanes) {
  Vec sums[kSums];
  for (Vec& sum : sums) {
    sum = broadcast(0.0f);
  }
  const float* x = args.x + c;
  std::size_t i = 0;
  for (; i + kSums <= args.rows; i += kSums, x += kSums * args.ldx) {
    LAMINA_UNROLL
    for (std::size_t s = 0; s < kSums; ++s) {
      sums[s] = sums[s] + load(x + s * args.ldx, lanes);
    }
  }
  LAMINA_UNROLL
  for (std::size_t s = 0; s < kSums - 1; ++s) {
    if (i + s < args.rows) {
      sums[s] = sums[s] + load(x + s * args.ldx, lanes);
    }
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

void mean_rows(const MeanArgs& args) {
  const Vec rows = broadcast(static_cast<float>(args.rows));
  for_lanes(args.channels, [&](std::size_t c, auto lanes) {
    store(args.y + c, sum_rows(args, c, lanes) / rows, lanes);
  });
}

}  // namespace lamina::kernels::LAMINA_ISA

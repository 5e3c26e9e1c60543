#include "kernels/simd/exp.h"
#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each row:
//   for each vector: the lanes' maxima; then the maximum of those;
//   for each vector: store exp(x - maximum) and add it to the lanes' sums; then their sum;
//   for each vector: divide by the sum.
// A row of logits stays in L1 between the passes. A NaN may get lost in the maximum, but its own
// exponential makes the sum a NaN.
namespace lamina::kernels::LAMINA_ISA {
namespace {

constexpr float kInfinity = __builtin_inff();

// Lanes beyond the row hold -infinity, which neither the maximum nor the sum of exponentials feels.
LAMINA_INLINE Vec load_row(const float* p, AllLanes) { return load(p); }
LAMINA_INLINE Vec load_row(const float* p, SomeLanes lanes) {
  float values[kLanes];
  store(values, broadcast(-kInfinity));
  for (std::size_t i = 0; i < lanes.count; ++i) {
    values[i] = p[i];
  }
  return load(values);
}

LAMINA_INLINE float largest_lane(Vec v) {
  float values[kLanes];
  store(values, v);
  float largest = values[0];
  for (const float value : values) {
    largest = value > largest ? value : largest;
  }
  return largest;
}

void softmax_row(const float* x, float* y, std::size_t n) {
  Vec maxima = broadcast(-kInfinity);
  for_lanes(n, [&](std::size_t j, auto lanes) { maxima = max(maxima, load_row(x + j, lanes)); });
  const Vec largest = broadcast(largest_lane(maxima));
  Vec sums = broadcast(0.0f);
  for_lanes(n, [&](std::size_t j, auto lanes) {
    const Vec value = exp_nonpositive(load_row(x + j, lanes) - largest);
    sums = sums + value;
    store(y + j, value, lanes);
  });
  const Vec sum = broadcast(sum_lanes(sums));
  for_lanes(n, [&](std::size_t j, auto lanes) { store(y + j, load(y + j, lanes) / sum, lanes); });
}

}  // namespace

void softmax(const SoftmaxArgs& args) {
  for (std::size_t i = 0; i < args.rows; ++i) {
    softmax_row(args.x + i * args.n, args.y + i * args.n, args.n);
  }
}

}  // namespace lamina::kernels::LAMINA_ISA

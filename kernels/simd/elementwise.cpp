#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// add, clamp: for each vector of the array: load, compute, store.
// scale_shift: for each row, for each vector of its channels: load, multiply-add, clamp, store.
// Memory sets the pace: a vector is read and written once, in order.
namespace lamina::kernels::LAMINA_ISA {

void scale_shift(const ScaleShiftArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const float* x = args.x + i * args.channels;
    float* y = args.y + i * args.channels;
    for_lanes(args.channels, [&](std::size_t c, auto lanes) {
      const Vec scale = load(args.scale + c, lanes);
      const Vec shift = load(args.shift + c, lanes);
      store(y + c, clamp(fma(load(x + c, lanes), scale, shift), lo, hi), lanes);
    });
  }
}

void add(const AddArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_lanes(args.count, [&](std::size_t i, auto lanes) {
    const Vec sum = load(args.a + i, lanes) + load(args.b + i, lanes);
    store(args.y + i, clamp(sum, lo, hi), lanes);
  });
}

void clamp(const ClampArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_lanes(args.count, [&](std::size_t i, auto lanes) {
    store(args.y + i, clamp(load(args.x + i, lanes), lo, hi), lanes);
  });
}

}  // namespace lamina::kernels::LAMINA_ISA

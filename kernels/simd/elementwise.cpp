#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each vector of the array: load, compute, store.
// Memory sets the pace: a vector is read and written once, in order.
namespace lamina::kernels::LAMINA_ISA {

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

void clamp_gradient(const ClampGradientArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_lanes(args.count, [&](std::size_t i, auto lanes) {
    store(args.dx + i, inside(load(args.x + i, lanes), lo, hi, load(args.dy + i, lanes)), lanes);
  });
}

}  // namespace lamina::kernels::LAMINA_ISA

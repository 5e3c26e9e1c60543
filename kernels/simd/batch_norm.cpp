#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each block of channels, kVectors vectors wide, then for single vectors:
//   load the channels' constants into registers;
//   for each row: load, compute, and store or add to one of four sums;
//   moments, norm_sums: add the four sums up, then to the outputs.
// L2 sets the pace: with the constants in registers a row costs one load for each array.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// Two vectors at once are a full line pair; their sums and constants fill 32 registers.
constexpr int kVectors = kRegisters == 32 ? 2 : 1;

// Four sums hide the latency of the additions, and each one's rounding error is a quarter of one
// long sum's.
constexpr std::size_t kSums = 4;

template <int NV>
struct Vectors {
  Vec v[NV];
};

template <int NV, class Lanes>
LAMINA_INLINE Vectors<NV> load_vectors(const float* p, Lanes lanes) {
  Vectors<NV> to;
  LAMINA_UNROLL
  for (int j = 0; j < NV; ++j) {
    to.v[j] = load(p + static_cast<std::size_t>(j) * kLanes, lanes);
  }
  return to;
}

// Calls step(c, vectors, lanes) for all channels.
template <class Step>
LAMINA_INLINE void for_channels(std::size_t channels, const Step& step) {
  constexpr std::size_t kWidth = kVectors * kLanes;
  std::size_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) {
    step(c, std::integral_constant<int, kVectors>{}, AllLanes{});
  }
  for_lanes(channels - c, [&](std::size_t i, auto lanes) {
    step(c + i, std::integral_constant<int, 1>{}, lanes);
  });
}

// Two sums of NV vectors over rows, each as four.
template <int NV>
struct SumPairs {
  Vec first[kSums][NV], second[kSums][NV];

  LAMINA_INLINE SumPairs() {
    LAMINA_UNROLL
    for (std::size_t s = 0; s < kSums; ++s) {
      LAMINA_UNROLL
      for (int j = 0; j < NV; ++j) {
        first[s][j] = second[s][j] = broadcast(0.0f);
      }
    }
  }

  template <class Lanes>
  LAMINA_INLINE void add_to(double* to_first, double* to_second, Lanes lanes) const {
    LAMINA_UNROLL
    for (int j = 0; j < NV; ++j) {
      const std::size_t c = static_cast<std::size_t>(j) * kLanes;
      add_to_doubles(to_first + c, (first[0][j] + first[1][j]) + (first[2][j] + first[3][j]),
                     lanes);
      add_to_doubles(to_second + c, (second[0][j] + second[1][j]) + (second[2][j] + second[3][j]),
                     lanes);
    }
  }
};

// Calls step(s, i): row i belongs to sum s.
template <class Step>
LAMINA_INLINE void for_rows(std::size_t rows, const Step& step) {
  std::size_t i = 0;
  for (; i + kSums <= rows; i += kSums) {
    LAMINA_UNROLL
    for (std::size_t s = 0; s < kSums; ++s) {
      step(s, i + s);
    }
  }
  LAMINA_UNROLL
  for (std::size_t s = 0; s < kSums - 1; ++s) {
    if (i + s < rows) {
      step(s, i + s);
    }
  }
}

}  // namespace

void scale_shift(const ScaleShiftArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for (std::size_t i = 0; i < args.rows; ++i) {
    const std::size_t row = i * args.channels;
    for_lanes(args.channels, [&](std::size_t c, auto lanes) {
      const Vec scale = load(args.scale + c, lanes);
      const Vec shift = load(args.shift + c, lanes);
      const Vec y = clamp(fma(load(args.x + row + c, lanes), scale, shift), lo, hi);
      store(args.y + row + c,
            args.residual == nullptr ? y : y + load(args.residual + row + c, lanes), lanes);
    });
  }
}

void moments(const MomentsArgs& args) {
  for_channels(args.channels, [&](std::size_t c, auto vectors, auto lanes) {
    constexpr int kCount = decltype(vectors)::value;
    const Vectors<kCount> shift = load_vectors<kCount>(args.shift + c, lanes);
    SumPairs<kCount> sums;
    for_rows(args.rows, [&](std::size_t s, std::size_t i) {
      const Vectors<kCount> x = load_vectors<kCount>(args.x + i * args.ldx + c, lanes);
      LAMINA_UNROLL
      for (int j = 0; j < kCount; ++j) {
        const Vec centered = x.v[j] - shift.v[j];
        sums.first[s][j] = sums.first[s][j] + centered;
        sums.second[s][j] = fma(centered, centered, sums.second[s][j]);
      }
    });
    sums.add_to(args.sums + c, args.squares + c, lanes);
  });
}

void norm_sums(const NormSumsArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_channels(args.channels, [&](std::size_t c, auto vectors, auto lanes) {
    constexpr int kCount = decltype(vectors)::value;
    const Vectors<kCount> scale = load_vectors<kCount>(args.scale + c, lanes);
    const Vectors<kCount> shift = load_vectors<kCount>(args.shift + c, lanes);
    const Vectors<kCount> mean = load_vectors<kCount>(args.mean + c, lanes);
    SumPairs<kCount> sums;
    for_rows(args.rows, [&](std::size_t s, std::size_t i) {
      const Vectors<kCount> x = load_vectors<kCount>(args.x + i * args.channels + c, lanes);
      const Vectors<kCount> dy = load_vectors<kCount>(args.dy + i * args.channels + c, lanes);
      LAMINA_UNROLL
      for (int j = 0; j < kCount; ++j) {
        const Vec g = inside(fma(x.v[j], scale.v[j], shift.v[j]), lo, hi, dy.v[j]);
        sums.first[s][j] = sums.first[s][j] + g;
        sums.second[s][j] = fma(g, x.v[j] - mean.v[j], sums.second[s][j]);
      }
    });
    sums.add_to(args.sum_dy + c, args.sum_dy_x + c, lanes);
  });
}

void norm_input(const NormInputGradientArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  const Vec zero = broadcast(0.0f);
  for_channels(args.channels, [&](std::size_t c, auto vectors, auto lanes) {
    constexpr int kCount = decltype(vectors)::value;
    const Vectors<kCount> scale = load_vectors<kCount>(args.scale + c, lanes);
    const Vectors<kCount> shift = load_vectors<kCount>(args.shift + c, lanes);
    const Vectors<kCount> mean = load_vectors<kCount>(args.mean + c, lanes);
    const Vectors<kCount> a = load_vectors<kCount>(args.a + c, lanes);
    Vectors<kCount> b = load_vectors<kCount>(args.b + c, lanes);
    Vectors<kCount> d = load_vectors<kCount>(args.d + c, lanes);
    LAMINA_UNROLL
    for (int j = 0; j < kCount; ++j) {
      b.v[j] = zero - b.v[j];
      d.v[j] = zero - d.v[j];
    }
    for (std::size_t i = 0; i < args.rows; ++i) {
      const std::size_t row = i * args.channels + c;
      const Vectors<kCount> x = load_vectors<kCount>(args.x + row, lanes);
      const Vectors<kCount> dy = load_vectors<kCount>(args.dy + row, lanes);
      LAMINA_UNROLL
      for (int j = 0; j < kCount; ++j) {
        const Vec g = inside(fma(x.v[j], scale.v[j], shift.v[j]), lo, hi, dy.v[j]);
        const Vec rest = fma(x.v[j] - mean.v[j], b.v[j], d.v[j]);
        store(args.dx + row + static_cast<std::size_t>(j) * kLanes, fma(g, a.v[j], rest), lanes);
      }
    }
  });
}

}  // namespace lamina::kernels::LAMINA_ISA

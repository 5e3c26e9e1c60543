#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// For each group of rows, then for single rows:
//   for each vector of channels: load the channels' constants, fetch the next group's lines;
//     for each row of the group: load, compute, store or sum up;
//     moments, norm_sums: add the group's sums to the channels', which lie in L1.
// Memory sets the pace. The rows of a group share the loads of constants and sums; they are few,
// so that the arrays are read nearly in order. The CPU's own prefetching does not see that order:
// help from here makes reading from DRAM twice as fast.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// Rows of a group: enough to make little of the constants, few enough that the addresses of all
// rows of all arrays fit in registers, and two groups in L1.
constexpr int kRowsOfOneArray = 8;
constexpr int kRowsOfMoreArrays = 4;

// How far ahead of the next group to fetch: few channels make a group too short.
constexpr std::size_t kAhead = 256;

// Channels whose sums are kept in L1 at a time: two times 8 KB if there are so many.
constexpr std::size_t kChannelsAtOnce = 2048;

template <int rows>
using Rows = std::integral_constant<int, rows>;

// Calls step(i, c, Rows<rows>, lanes) for `rows` rows from i on and the vector of channels at c.
template <int group, class Step>
LAMINA_INLINE void for_row_groups(std::size_t rows, std::size_t channels, const Step& step) {
  std::size_t i = 0;
  for (; i + group <= rows; i += group) {
    for_lanes(channels, [&](std::size_t c, auto lanes) { step(i, c, Rows<group>{}, lanes); });
  }
  for (; i < rows; ++i) {
    for_lanes(channels, [&](std::size_t c, auto lanes) { step(i, c, Rows<1>{}, lanes); });
  }
}

// One vector of channels of some rows. Brings as much of the next rows into L1: in order, where
// rows lie next to each other.
template <int rows, class Lanes>
LAMINA_INLINE void load_rows(const float* array, std::size_t ld, std::size_t i, std::size_t c,
                             Vec (&to)[rows], Lanes lanes) {
  const float* from = array + i * ld + c;
  LAMINA_UNROLL
  for (std::size_t r = 0; r < rows; ++r) {
    to[r] = load(from + r * ld, lanes);
  }
  if constexpr (rows > 1) {
    const float* next = array + (i + rows) * ld + c * rows + kAhead;
    LAMINA_UNROLL
    for (std::size_t j = 0; j < rows * kLanes; j += kLineFloats) {
      prefetch_l1(next + j);
    }
  }
}

// Two sums for each of up to kChannelsAtOnce channels.
class Sums {
 public:
  explicit Sums(std::size_t channels) : channels_(channels) {
    zeros(round_up(channels), first_);
    zeros(round_up(channels), second_);
  }

  // Adds up the rows of `a` for the first, of `a` times `b` for the second, even and odd rows
  // apart.
  template <int rows>
  LAMINA_INLINE void add(std::size_t c, const Vec (&a)[rows], const Vec (&b)[rows]) {
    Vec sum = a[0];
    Vec product = a[0] * b[0];
    if constexpr (rows > 1) {
      Vec odd_sum = a[1];
      Vec odd_product = a[1] * b[1];
      LAMINA_UNROLL
      for (int r = 2; r < rows; r += 2) {
        sum = sum + a[r];
        odd_sum = odd_sum + a[r + 1];
        product = fma(a[r], b[r], product);
        odd_product = fma(a[r + 1], b[r + 1], odd_product);
      }
      sum = sum + odd_sum;
      product = product + odd_product;
    }
    store(first_ + c, load(first_ + c) + sum);
    store(second_ + c, load(second_ + c) + product);
  }

  void add_to(double* first, double* second) const {
    for_lanes(channels_, [&](std::size_t c, auto lanes) {
      add_to_doubles(first + c, load(first_ + c), lanes);
      add_to_doubles(second + c, load(second_ + c), lanes);
    });
  }

 private:
  std::size_t channels_;
  alignas(64) float first_[kChannelsAtOnce];
  alignas(64) float second_[kChannelsAtOnce];
};

// Calls step(c, count) for blocks of channels.
template <class Step>
LAMINA_INLINE void for_channel_blocks(std::size_t channels, const Step& step) {
  for (std::size_t c = 0; c < channels; c += kChannelsAtOnce) {
    step(c, channels - c < kChannelsAtOnce ? channels - c : kChannelsAtOnce);
  }
}

}  // namespace

void scale_shift(const ScaleShiftArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_row_groups<kRowsOfMoreArrays>(
      args.rows, args.channels, [&](std::size_t i, std::size_t c, auto rows, auto lanes) {
        constexpr int kRows = decltype(rows)::value;
        const Vec scale = load(args.scale + c, lanes);
        const Vec shift = load(args.shift + c, lanes);
        Vec x[kRows];
        load_rows(args.x, args.channels, i, c, x, lanes);
        LAMINA_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          const std::size_t at = (i + r) * args.channels + c;
          const Vec y = clamp(fma(x[r], scale, shift), lo, hi);
          store(args.y + at, args.residual == nullptr ? y : y + load(args.residual + at, lanes),
                lanes);
        }
      });
}

void moments(const MomentsArgs& args) {
  for_channel_blocks(args.channels, [&](std::size_t first, std::size_t channels) {
    Sums sums(channels);
    for_row_groups<kRowsOfOneArray>(args.rows, channels,
                                    [&](std::size_t i, std::size_t c, auto rows, auto lanes) {
                                      constexpr int kRows = decltype(rows)::value;
                                      const Vec shift = load(args.shift + first + c, lanes);
                                      Vec x[kRows];
                                      load_rows(args.x, args.ldx, i, first + c, x, lanes);
                                      LAMINA_UNROLL
                                      for (int r = 0; r < kRows; ++r) {
                                        x[r] = x[r] - shift;
                                      }
                                      sums.add(c, x, x);
                                    });
    sums.add_to(args.sums + first, args.squares + first);
  });
}

void norm_sums(const NormSumsArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_channel_blocks(args.channels, [&](std::size_t first, std::size_t channels) {
    Sums sums(channels);
    for_row_groups<kRowsOfMoreArrays>(args.rows, channels,
                                      [&](std::size_t i, std::size_t c, auto rows, auto lanes) {
                                        constexpr int kRows = decltype(rows)::value;
                                        const Vec scale = load(args.scale + first + c, lanes);
                                        const Vec shift = load(args.shift + first + c, lanes);
                                        const Vec mean = load(args.mean + first + c, lanes);
                                        Vec x[kRows];
                                        Vec g[kRows];
                                        load_rows(args.x, args.channels, i, first + c, x, lanes);
                                        load_rows(args.dy, args.channels, i, first + c, g, lanes);
                                        LAMINA_UNROLL
                                        for (int r = 0; r < kRows; ++r) {
                                          g[r] = inside(fma(x[r], scale, shift), lo, hi, g[r]);
                                          x[r] = x[r] - mean;
                                        }
                                        sums.add(c, g, x);
                                      });
    sums.add_to(args.sum_dy + first, args.sum_dy_x + first);
  });
}

void norm_input(const NormInputGradientArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  const Vec zero = broadcast(0.0f);
  for_row_groups<kRowsOfMoreArrays>(
      args.rows, args.channels, [&](std::size_t i, std::size_t c, auto rows, auto lanes) {
        constexpr int kRows = decltype(rows)::value;
        const Vec scale = load(args.scale + c, lanes);
        const Vec shift = load(args.shift + c, lanes);
        const Vec mean = load(args.mean + c, lanes);
        const Vec a = load(args.a + c, lanes);
        const Vec minus_b = zero - load(args.b + c, lanes);
        const Vec minus_d = zero - load(args.d + c, lanes);
        Vec x[kRows];
        Vec dy[kRows];
        load_rows(args.x, args.channels, i, c, x, lanes);
        load_rows(args.dy, args.channels, i, c, dy, lanes);
        LAMINA_UNROLL
        for (std::size_t r = 0; r < kRows; ++r) {
          const Vec g = inside(fma(x[r], scale, shift), lo, hi, dy[r]);
          const Vec rest = fma(x[r] - mean, minus_b, minus_d);
          store(args.dx + (i + r) * args.channels + c, fma(g, a, rest), lanes);
        }
      });
}

}  // namespace lamina::kernels::LAMINA_ISA

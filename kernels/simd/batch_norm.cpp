#include <utility>

#include "kernels/simd/functions.h"
#include "kernels/simd/vec.h"

// scale_shift, norm_input: for each row, for each vector of channels: load, compute, store.
// moments, norm_sums: for each block of rows, for each vector of channels:
//   for each pair of rows: load, fetch lines of the next block, add to sums in registers;
//   add those to the channels' sums, which lie in L1.
// Memory sets the pace. It is read in its own order, which the CPU's own prefetching follows best;
// columns of a block are not in that order, so its lines are fetched, in order, during the block
// before.
namespace lamina::kernels::LAMINA_ISA {
namespace {

// How far ahead of a row to fetch.
constexpr std::size_t kAhead = 1024;

// A block is as many floats of an array, or four rows.
constexpr std::size_t kBlockFloats = 768;
constexpr std::size_t kLeastRows = 4;

// Channels whose sums are kept in L1 at a time: two times 8 KB if there are so many.
constexpr std::size_t kChannelsAtOnce = 2048;

// Calls step(c, i, lanes) for the vectors of each row: that of channel c lies at i.
template <class Step>
LAMINA_INLINE void for_rows(std::size_t rows, std::size_t channels, const Step& step) {
  for (std::size_t first = 0; first < rows * channels; first += channels) {
    for_lanes(channels, [&](std::size_t c, auto lanes) { step(c, first + c, lanes); });
  }
}

// Rows that lie `ld` floats apart, read by the column.
class Columns {
 public:
  Columns(const float* rows, std::size_t ld) : rows_(rows), ld_(ld) {}

  // Of the next rows, as many as will be read, the lines are to be fetched from `row` on.
  LAMINA_INLINE void fetch_from(std::size_t row) { next_ = rows_ + row * ld_; }

  template <class Lanes>
  LAMINA_INLINE Vec read(std::size_t row, std::size_t c, Lanes lanes) {
    prefetch_l1(next_);
    next_ += kLanes;
    return load(rows_ + row * ld_ + c, lanes);
  }

 private:
  const float* rows_;
  std::size_t ld_;
  const float* next_ = nullptr;
};

// What a column adds up: the values, and their products. Even and odd rows apart: an addition need
// not wait for the one before.
struct ColumnSums {
  Vec values[2] = {broadcast(0.0f), broadcast(0.0f)};
  Vec products[2] = {broadcast(0.0f), broadcast(0.0f)};

  LAMINA_INLINE void add(std::size_t parity, Vec value, Vec factor) {
    values[parity] = values[parity] + value;
    products[parity] = fma(value, factor, products[parity]);
  }
};

// The sums of up to kChannelsAtOnce channels.
class Sums {
 public:
  explicit Sums(std::size_t channels) : channels_(channels) {
    zeros(round_up(channels), values_);
    zeros(round_up(channels), products_);
  }

  // Calls column(c, lanes) for the vectors of channels, block by block; what that returns is
  // called with each row of the block and the column's sums. start(row) comes before a block, with
  // the row after it.
  template <class Start, class Column>
  LAMINA_INLINE void add_rows(std::size_t rows, const Start& start, const Column& column) {
    const std::size_t fitting = kBlockFloats / channels_ / 2 * 2;
    const std::size_t most = fitting < kLeastRows ? kLeastRows : fitting;
    for (std::size_t begin = 0; begin < rows; begin += most) {
      const std::size_t end = begin + most < rows ? begin + most : rows;
      start(end);
      for_lanes(channels_, [&](std::size_t c, auto lanes) {
        const auto add = column(c, lanes);
        ColumnSums sums;
        for (std::size_t row = begin; row + 1 < end; row += 2) {
          add(row, 0, sums);
          add(row + 1, 1, sums);
        }
        if ((end - begin) % 2 != 0) {
          add(end - 1, 0, sums);
        }
        store(values_ + c, load(values_ + c) + (sums.values[0] + sums.values[1]));
        store(products_ + c, load(products_ + c) + (sums.products[0] + sums.products[1]));
      });
    }
  }

  void add_to(double* values, double* products) const {
    for_lanes(channels_, [&](std::size_t c, auto lanes) {
      add_to_doubles(values + c, load(values_ + c), lanes);
      add_to_doubles(products + c, load(products_ + c), lanes);
    });
  }

 private:
  std::size_t channels_;
  alignas(64) float values_[kChannelsAtOnce];
  alignas(64) float products_[kChannelsAtOnce];
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
  for_rows(args.rows, args.channels, [&](std::size_t c, std::size_t i, auto lanes) {
    prefetch_l1(args.x + i + kAhead);
    const Vec scale = load(args.scale + c, lanes);
    const Vec shift = load(args.shift + c, lanes);
    const Vec y = clamp(fma(load(args.x + i, lanes), scale, shift), lo, hi);
    store(args.y + i, args.residual == nullptr ? y : y + load(args.residual + i, lanes), lanes);
  });
}

void moments(const MomentsArgs& args) {
  for_channel_blocks(args.channels, [&](std::size_t first, std::size_t channels) {
    Columns x(args.x + first, args.ldx);
    Sums sums(channels);
    sums.add_rows(
        args.rows, [&](std::size_t row) { x.fetch_from(row); },
        [&](std::size_t c, auto lanes) {
          const Vec shift = load(args.shift + first + c, lanes);
          return [=, &x](std::size_t row, std::size_t parity, ColumnSums& to) {
            const Vec value = x.read(row, c, lanes) - shift;
            to.add(parity, value, value);
          };
        });
    sums.add_to(args.sums + first, args.squares + first);
  });
}

void norm_sums(const NormSumsArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  for_channel_blocks(args.channels, [&](std::size_t first, std::size_t channels) {
    Columns x(args.x + first, args.channels);
    Columns dy(args.dy + first, args.channels);
    Sums sums(channels);
    sums.add_rows(
        args.rows,
        [&](std::size_t row) {
          x.fetch_from(row);
          dy.fetch_from(row);
        },
        [&](std::size_t c, auto lanes) {
          const Vec scale = load(args.scale + first + c, lanes);
          const Vec shift = load(args.shift + first + c, lanes);
          const Vec mean = load(args.mean + first + c, lanes);
          return [=, &x, &dy](std::size_t row, std::size_t parity, ColumnSums& to) {
            const Vec value = x.read(row, c, lanes);
            const Vec g = dy.read(row, c, lanes);
            to.add(parity, inside(fma(value, scale, shift), lo, hi, g), value - mean);
          };
        });
    sums.add_to(args.sum_dy + first, args.sum_dy_x + first);
  });
}

void norm_input(const NormInputGradientArgs& args) {
  const Vec lo = broadcast(args.lo);
  const Vec hi = broadcast(args.hi);
  const Vec zero = broadcast(0.0f);
  for_rows(args.rows, args.channels, [&](std::size_t c, std::size_t i, auto lanes) {
    prefetch_l1(args.x + i + kAhead);
    prefetch_l1(args.dy + i + kAhead);
    const Vec x = load(args.x + i, lanes);
    const Vec y = fma(x, load(args.scale + c, lanes), load(args.shift + c, lanes));
    const Vec g = inside(y, lo, hi, load(args.dy + i, lanes));
    const Vec centered = x - load(args.mean + c, lanes);
    const Vec rest = fma(centered, load(args.b + c, lanes), load(args.d + c, lanes));
    store(args.dx + i, fma(g, load(args.a + c, lanes), zero - rest), lanes);
  });
}

}  // namespace lamina::kernels::LAMINA_ISA

#pragma once

#include <cstddef>
#include <string_view>

/// What a machine can do at most: the limits that figures are read against. All are the best of
/// several short bursts, with so many threads at once, each on data of its own.
namespace lamina::benchmarks {

/// Floating-point operations a second in multiply-adds on registers, with that instruction set's
/// vectors: the limit of every kernel. 0 for "reference", which has no vectors.
double fma_peak(std::string_view isa, std::size_t threads = 1);

/// Bytes a second that all threads together read in order, each again and again the same `bytes`,
/// rounded down to a multiple of 4096.
double read_bandwidth(std::string_view isa, std::size_t bytes, std::size_t threads = 1);

/// How many bytes to read again and again so that they come from each level of this machine.
struct ReadSizes {
  std::size_t l1, l2, l3, dram;
};
ReadSizes read_sizes();

}  // namespace lamina::benchmarks

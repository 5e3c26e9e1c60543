#pragma once

#include <string_view>

namespace lamina::benchmarks {

/// Floating-point operations a second that one core reaches in multiply-adds on registers with
/// that instruction set's vectors: the limit of every kernel. The best of several bursts of about
/// a millisecond. 0 for "reference", which has no vectors.
double fma_peak(std::string_view isa);

}  // namespace lamina::benchmarks

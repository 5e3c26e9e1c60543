#pragma once

/// The build compiles every source of this folder once per instruction set, with
/// LAMINA_ISA = avx512, avx2, sse2 or neon. All code lives in a namespace of that name: an inline
/// function shared by two libraries would be one weak symbol, and the linker could hand AVX-512
/// code to a CPU without it. For the same reason nothing here calls a function of the standard
/// library's headers.
#ifndef LAMINA_ISA
#error "compile with -DLAMINA_ISA=avx512, avx2, sse2 or neon"
#endif

#define LAMINA_ISA_avx512 1
#define LAMINA_ISA_avx2 2
#define LAMINA_ISA_sse2 3
#define LAMINA_ISA_neon 4
#define LAMINA_JOIN_(a, b) a##b
#define LAMINA_JOIN(a, b) LAMINA_JOIN_(a, b)
#define LAMINA_STRING_(a) #a
#define LAMINA_STRING(a) LAMINA_STRING_(a)

/// Compares as `#if LAMINA_ISA_IS == LAMINA_ISA_avx512`.
#define LAMINA_ISA_IS LAMINA_JOIN(LAMINA_ISA_, LAMINA_ISA)

#define LAMINA_INLINE inline __attribute__((always_inline))

/// Before a loop with a constant number of turns: write it out.
#if defined(__clang__)
#define LAMINA_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LAMINA_UNROLL _Pragma("GCC unroll 32")
#endif

/* simd.h: loops over the samples of one site as wide as the machine allows, chosen at run time.

   FG_SIMD_CLONES before a function compiles it for SSE2, AVX2 with FMA, and AVX-512, and picks one when the program is loaded
   (on an AVX2 machine a site of 33 samples took 0.7 us instead of 1.2). Levels, not processor names: those match one vendor. Where glibc has vector versions of
   exp and log (libmvec, at most 4 units in the last place), loops marked `omp simd` call them; elsewhere they call the scalar
   ones. Private to forward/. */
#ifndef FINEGRAIN_FORWARD_SIMD_H
#define FINEGRAIN_FORWARD_SIMD_H

#include <math.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#pragma omp declare simd notinbranch
extern double            exp(double);
#pragma omp declare simd notinbranch
extern double            log(double);
#if !defined(__SANITIZE_ADDRESS__) /* run-time dispatch resolves before the sanitizer is ready */
#define FG_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#endif
#ifndef FG_SIMD_CLONES
#define FG_SIMD_CLONES
#endif

/* Samples are padded to whole vectors of the widest kind. */
#define FG_SIMD_LANES 8

#endif

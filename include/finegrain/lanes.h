/* lanes.h: loops as wide as the machine allows, chosen at run time.

   Sites are computed side by side: lane l of every quantity belongs to the l-th site of a batch (batch.h), and FG_EACH_LANE runs over the
   lanes without any exchange between them, so that what a site gets does not depend on its company.

   FG_SIMD_CLONES before a function compiles it for SSE2, AVX2 with FMA, and AVX-512, and picks one when the program is loaded.
   Levels, not processor names: those match one vendor. Where glibc has vector versions of exp and log (libmvec, at most 4 units in the
   last place), loops marked `omp simd` call them; elsewhere they call the scalar ones. */
#ifndef FINEGRAIN_LANES_H
#define FINEGRAIN_LANES_H

#include <math.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#pragma omp declare simd notinbranch
extern double            exp(double);
#pragma omp declare simd notinbranch
extern double            log(double);
#if !defined(FG_SIMD_CLONES) && !defined(__SANITIZE_ADDRESS__) /* dispatch resolves before the sanitizer is ready */
#define FG_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
#endif
#ifndef FG_SIMD_CLONES
#define FG_SIMD_CLONES
#endif

/* Sites of a batch: four AVX2 or two AVX-512 vectors of doubles, enough to hide the latency of an addition. */
enum { FG_LANES = 16 };
typedef double FgLanes[FG_LANES];
#define FG_EACH_LANE _Pragma("omp simd") for (int l = 0; l < FG_LANES; l++)

/* Rows over the samples of one site are padded to whole vectors of the widest kind. */
#define FG_SIMD_LANES 8

#endif

/* signs.h: random signs that depend on a seed and on what they are for alone, not on the order or the rank that draws them.
   Source: G. L. Steele, D. Lea, C. H. Flood, OOPSLA (2014), the mixing function of SplitMix. */
#ifndef FINEGRAIN_INVERSE_SIGNS_H
#define FINEGRAIN_INVERSE_SIGNS_H

#include <stdint.h>

static inline uint64_t FgMix(uint64_t x)
{
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

static inline double FgSign(uint64_t seed, uint64_t what, uint64_t kind)
{
  return FgMix(FgMix(FgMix(seed) + what) + kind) >> 63 ? 1.0 : -1.0;
}

#endif

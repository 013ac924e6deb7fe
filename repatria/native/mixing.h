/* The arithmetic of record digests, version 0 (docs/formats/record-digest.md).
 *
 * What a later version changes stands here: how a word is mixed, how a column is absorbed. The
 * walk over Arrow's columns (digest.c) knows neither.
 */
#ifndef REPATRIA_MIXING_H
#define REPATRIA_MIXING_H

#include <stdint.h>

enum { LANES = 2 };

#define POSITION_STEP UINT64_C(0x9E3779B97F4A7C15)

static inline uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= UINT64_C(0xFF51AFD7ED558CCD);
    x ^= x >> 33;
    x *= UINT64_C(0xC4CEB9FE1A85EC53);
    return x ^ (x >> 33);
}

static inline uint64_t absorb(uint64_t state, uint64_t cell, uint64_t odd) {
    state += cell;
    state ^= state >> 32;
    return state * odd;
}

static inline uint64_t position(uint64_t origin, uint64_t place) {
    return mix(origin + (place + 1) * POSITION_STEP);
}

#endif

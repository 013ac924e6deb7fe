/* CRCs of bodies: CRC-32 (ISO-HDLC), CRC-32C (iSCSI) and CRC-64/NVME, all reflected.
 *
 * With carry-less multiplication 64 bytes are folded at a time (Gopal et al., "Fast CRC Computation
 * for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009). Every constant is a power of x
 * modulo the polynomial, which `powers` derives from it, so that none is copied from anywhere. What
 * is folded to 16 bytes, and all where the processor cannot multiply so, goes through tables, eight
 * bytes at a time. Both ways keep the register of the CRC, and begin and end anywhere.
 */
#include "arrow.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define FOLDS 1
#else
#define FOLDS 0
#endif

#define EXPORTED __attribute__((visibility("default")))

enum { KINDS = 3, SLICES = 8, LANES = 4, BLOCK = 16 * LANES, FOLDED_FROM = 2 * BLOCK };

typedef struct {
    int width;
    uint64_t polynomial;           /* Reflected: its lowest coefficient is not told. */
    uint64_t table[SLICES][256];   /* What a byte does that stands so many bytes before the end. */
    uint64_t far[2], near[2];      /* Folding by a block, and by 16 bytes: the low half, the high. */
} crc;

static crc crcs[KINDS] = {
    {.width = 32, .polynomial = UINT64_C(0xEDB88320)},
    {.width = 32, .polynomial = UINT64_C(0x82F63B78)},
    {.width = 64, .polynomial = UINT64_C(0x9A6C9329AC4BC9B5)},
};
static int folds;

static uint64_t times_x(const crc *of, uint64_t value) {
    return (value >> 1) ^ (value & 1 ? of->polynomial : 0);
}

/* x to the `power` modulo the polynomial, reflected: as a register of 64 bits holds it. A product of
 * two reflected words of 64 bits is one place short of the register's 128, hence a power less. */
static uint64_t folding(const crc *of, int power) {
    uint64_t value = UINT64_C(1) << (of->width - 1);
    for (int place = 0; place < power - 1; place++) value = times_x(of, value);
    return value << (64 - of->width);
}

/* Runs when the library is loaded, so that nobody ever sees half of a table. */
__attribute__((constructor)) static void make(void) {
    for (int kind = 0; kind < KINDS; kind++) {
        crc *of = crcs + kind;
        for (uint64_t octet = 0; octet < 256; octet++) {
            uint64_t value = octet;
            for (int bit = 0; bit < 8; bit++) value = times_x(of, value);
            of->table[0][octet] = value;
        }
        for (int slice = 1; slice < SLICES; slice++)
            for (int octet = 0; octet < 256; octet++) {
                uint64_t before = of->table[slice - 1][octet];
                of->table[slice][octet] = (before >> 8) ^ of->table[0][before & 0xFF];
            }
        of->far[0] = folding(of, 8 * BLOCK + 64);
        of->far[1] = folding(of, 8 * BLOCK);
        of->near[0] = folding(of, 128 + 64);
        of->near[1] = folding(of, 128);
    }
#if FOLDS
    __builtin_cpu_init();
    folds = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
#endif
}

static uint64_t by_table(const crc *of, uint64_t value, const uint8_t *at, int64_t left) {
    for (; left >= SLICES; at += SLICES, left -= SLICES) {
        uint64_t word = load64(at) ^ value;
        value = 0;
        for (int slice = 0; slice < SLICES; slice++)
            value ^= of->table[SLICES - 1 - slice][(word >> (8 * slice)) & 0xFF];
    }
    for (; left > 0; at++, left--) value = (value >> 8) ^ of->table[0][(value ^ *at) & 0xFF];
    return value;
}

#if FOLDS
__attribute__((target("pclmul,sse4.1"))) static inline __m128i folded(__m128i value, __m128i by,
                                                                       __m128i next) {
    __m128i low = _mm_clmulepi64_si128(value, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(value, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

__attribute__((target("pclmul,sse4.1"))) static inline __m128i load(const uint8_t *at) {
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* At least `FOLDED_FROM` bytes. */
__attribute__((target("pclmul,sse4.1"))) static uint64_t by_folding(const crc *of, uint64_t value,
                                                                     const uint8_t *at,
                                                                     int64_t left) {
    __m128i far = _mm_set_epi64x((int64_t)of->far[1], (int64_t)of->far[0]);
    __m128i near = _mm_set_epi64x((int64_t)of->near[1], (int64_t)of->near[0]);
    __m128i lanes[LANES], whole;
    uint8_t rest[16];
    for (int lane = 0; lane < LANES; lane++) lanes[lane] = load(at + 16 * lane);
    lanes[0] = _mm_xor_si128(lanes[0], _mm_set_epi64x(0, (int64_t)value));
    for (at += BLOCK, left -= BLOCK; left >= BLOCK; at += BLOCK, left -= BLOCK)
        for (int lane = 0; lane < LANES; lane++)
            lanes[lane] = folded(lanes[lane], far, load(at + 16 * lane));
    whole = lanes[0];
    for (int lane = 1; lane < LANES; lane++) whole = folded(whole, near, lanes[lane]);
    for (; left >= 16; at += 16, left -= 16) whole = folded(whole, near, load(at));
    _mm_storeu_si128((__m128i *)(void *)rest, whole);
    return by_table(of, by_table(of, 0, rest, sizeof rest), at, left);
}
#endif

/* The register after `count` more bytes, from the register before. `plain`: by tables, whatever the processor can do. */
EXPORTED uint64_t repatria_crc(int32_t kind, uint64_t value, const uint8_t *data, int64_t count,
                               int32_t plain) {
#if FOLDS
    if (folds && !plain && count >= FOLDED_FROM) return by_folding(crcs + kind, value, data, count);
#endif
    (void)plain;
    return by_table(crcs + kind, value, data, count);
}

/* Whether the processor folds. */
EXPORTED int32_t repatria_crc_folds(void) { return folds; }

/* Arrow arrays as the C data interface lays them out, and whether a value is there.
 *
 * https://arrow.apache.org/docs/format/CDataInterface.html: the structure is copied from there, as
 * it asks. Bits are counted from the least significant of each byte.
 */
#ifndef REPATRIA_ARROW_H
#define REPATRIA_ARROW_H

#include <stdint.h>
#include <string.h>

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

static inline int bit(const uint8_t *bits, int64_t at) { return bits[at >> 3] >> (at & 7) & 1; }

static inline uint16_t load16(const uint8_t *from) {
    uint16_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline uint32_t load32(const uint8_t *from) {
    uint32_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

static inline uint64_t load64(const uint8_t *from) {
    uint64_t word;
    memcpy(&word, from, sizeof word);
    return word;
}

/* A number of 1, 2, 4 or 8 bytes as a word; signed ones are extended with their sign. */
static inline uint64_t number(const uint8_t *values, int64_t at, int width, int is_signed) {
    switch (width) {
    case 1:
        return is_signed ? (uint64_t)(int64_t)(int8_t)values[at] : values[at];
    case 2: {
        uint16_t word = load16(values + 2 * at);
        return is_signed ? (uint64_t)(int64_t)(int16_t)word : word;
    }
    case 4: {
        uint32_t word = load32(values + 4 * at);
        return is_signed ? (uint64_t)(int64_t)(int32_t)word : word;
    }
    default:
        return load64(values + 8 * at);
    }
}

#endif

/* Digests of records, straight over Arrow columns: the same words as repatria/digest in NumPy.
 *
 * A column is told by nodes in preorder, made in Python from its type; a node and its Arrow array
 * give cells, a block of rows at a time, nested ones through their children. What stands under a
 * null may be anything: its cell is overwritten. Everything that an array says of itself and that
 * can be checked is (offsets that go back, children that are too short, indices outside of a
 * dictionary): then DAMAGED is returned, and NumPy's way decides what it means.
 */
#include <stdlib.h>

#include "arrow.h"
#include "mixing.h"

/* Several versions of one loop, chosen when the library is loaded: the package may be built on
 * one machine and used on another. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) && \
    !defined(REPATRIA_PLAIN)
#define CLONED __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONED
#endif

#define EXPORTED __attribute__((visibility("default")))

enum { BLOCK = 512, VERSION = 4 };
enum { WELL = 0, DAMAGED = 1, NO_MEMORY = 2 };
enum op { NOTHING, BIT, NUMBER, FLOAT, WORDS, TEXT, BYTES, LIST, FIXED_LIST, STRUCT, DICTIONARY, LINE, GIVEN };

/* width: bytes of a value, of an offset or of an index; values of a list of fixed size.
 * extra: whether a number is signed; how many words a wide value has; which of the given columns.
 * size: how many nodes there are from this one to the last below it. */
typedef struct {
    int32_t op, width, extra, children, size;
} node;

typedef struct {
    uint64_t origin[LANES], null[LANES], length[LANES], structure[LANES], final[LANES];
    const uint64_t *positions[LANES];
    int64_t known;
} schedule;

typedef struct {
    uint64_t lane[LANES][BLOCK];
} cells;

typedef struct {
    const schedule *keys;
    const node *nodes;
    uint64_t **dictionaries; /* Cells of each node's dictionary, once they are known. */
} walk;

typedef struct {
    const node *node;
    const struct ArrowArray *array;
} column;

static int column_cells(walk *it, column of, int64_t start, int64_t count, cells *out);

static inline uint64_t key_of(const schedule *keys, int lane, int64_t place) {
    return place < keys->known ? keys->positions[lane][place]
                               : position(keys->origin[lane], (uint64_t)place);
}

static void fill(cells *out, int64_t count, const uint64_t *constant) {
    for (int lane = 0; lane < LANES; lane++)
        for (int64_t row = 0; row < count; row++) out->lane[lane][row] = constant[lane];
}

/* --- Fixed width ------------------------------------------------------------------------- */

CLONED static void add_mixed(uint64_t *restrict sums, const uint64_t *restrict words,
                             int64_t count, uint64_t key) {
    for (int64_t row = 0; row < count; row++) sums[row] += mix(words[row] + key);
}

CLONED static void widen(uint64_t *restrict words, const uint8_t *restrict values, int64_t count,
                         int width, int is_signed) {
    if (width == 8)
        memcpy(words, values, (size_t)count * 8);
    else if (width == 4 && is_signed)
        for (int64_t row = 0; row < count; row++) words[row] = number(values, row, 4, 1);
    else if (width == 4)
        for (int64_t row = 0; row < count; row++) words[row] = number(values, row, 4, 0);
    else
        for (int64_t row = 0; row < count; row++)
            words[row] = number(values, row, width, is_signed);
}

/* Every NaN becomes one NaN. */
CLONED static void one_nan(uint64_t *words, int64_t count, int width) {
    uint64_t infinity = width == 2 ? 0x7C00 : width == 4 ? 0x7F800000 : UINT64_C(0x7FF0) << 48;
    uint64_t nan = width == 2 ? 0x7E00 : width == 4 ? 0x7FC00000 : UINT64_C(0x7FF8) << 48;
    uint64_t magnitude = (UINT64_C(1) << (8 * width - 1)) - 1;
    for (int64_t row = 0; row < count; row++)
        words[row] = (words[row] & magnitude) > infinity ? nan : words[row];
}

static void fixed_cells(const walk *it, column of, int64_t at, int64_t count, cells *out) {
    uint64_t words[BLOCK];
    const node *told = of.node;
    const uint8_t *values = of.array->buffers[1];
    int copies = told->op == WORDS ? told->extra : 1;
    memset(out->lane[0], 0, (size_t)count * 8);
    memset(out->lane[1], 0, (size_t)count * 8);
    for (int copy = 0; copy < copies; copy++) {
        if (told->op == BIT)
            for (int64_t row = 0; row < count; row++)
                words[row] = (uint64_t)bit(values, at + row);
        else if (told->op == WORDS && told->width > 8)
            for (int64_t row = 0; row < count; row++)
                words[row] = load64(values + (at + row) * told->width + 8 * copy);
        else if (copy == 0)
            widen(words, values + at * told->width, count, told->width,
                  told->op == WORDS || told->extra);
        else /* The upper word of a short decimal is its sign. */
            for (int64_t row = 0; row < count; row++) words[row] = 0 - (words[row] >> 63);
        if (told->op == FLOAT) one_nan(words, count, told->width);
        for (int lane = 0; lane < LANES; lane++)
            add_mixed(out->lane[lane], words, count, key_of(it->keys, lane, copy));
    }
}

/* --- Text and bytes ----------------------------------------------------------------------- */

/* The last 1 to 7 bytes of a value as a word; `room` says whether 8 may be read. */
static inline uint64_t tail(const uint8_t *from, int64_t rest, int room) {
    if (room) return load64(from) & (~UINT64_C(0) >> (64 - 8 * rest));
    if (rest >= 4)
        return load32(from) | (uint64_t)load32(from + rest - 4) << (8 * (rest - 4));
    return from[0] | (uint64_t)from[rest >> 1] << (8 * (rest >> 1)) |
           (uint64_t)from[rest - 1] << (8 * (rest - 1));
}

CLONED static void long_run(uint64_t *restrict sums, const uint8_t *restrict from, int64_t count,
                            const uint64_t *restrict first, const uint64_t *restrict second) {
    uint64_t high = 0, low = 0;
    for (int64_t place = 0; place < count; place++) {
        uint64_t word = load64(from + 8 * place);
        high += mix(word + first[place]);
        low += mix(word + second[place]);
    }
    sums[0] += high;
    sums[1] += low;
}

static inline void text_cell(const schedule *keys, const uint8_t *from, int64_t length, int room,
                             uint64_t *sums) {
    int64_t whole = length >> 3, place = 0;
    int64_t kept = whole < keys->known ? whole : keys->known;
    sums[0] = sums[1] = 0;
    if (kept >= 8) {
        long_run(sums, from, kept, keys->positions[0], keys->positions[1]);
        place = kept;
    }
    for (; place < whole; place++) {
        uint64_t word = load64(from + 8 * place);
        sums[0] += mix(word + key_of(keys, 0, place));
        sums[1] += mix(word + key_of(keys, 1, place));
    }
    if (length & 7) {
        uint64_t word = tail(from + 8 * whole, length & 7, room);
        sums[0] += mix(word + key_of(keys, 0, whole));
        sums[1] += mix(word + key_of(keys, 1, whole));
    }
    for (int lane = 0; lane < LANES; lane++)
        sums[lane] = mix(sums[lane] + (uint64_t)length * keys->length[lane]);
}

static inline int64_t bound(const uint8_t *offsets, int64_t at, int width) {
    return (int64_t)number(offsets, at, width, 1);
}

/* A line counts without a line feed, or carriage return and line feed, at its end. */
static inline int64_t unterminated(const uint8_t *from, int64_t length) {
    if (length == 0 || from[length - 1] != '\n') return length;
    length--;
    return length > 0 && from[length - 1] == '\r' ? length - 1 : length;
}

static int text_cells(const walk *it, column of, int64_t at, int64_t count, cells *out) {
    const node *told = of.node;
    const uint8_t *offsets = of.array->buffers[1], *data = of.array->buffers[2];
    int64_t end = bound(offsets, of.array->offset + of.array->length, told->width);
    for (int64_t row = 0; row < count; row++) {
        int64_t start = bound(offsets, at + row, told->width);
        int64_t stop = bound(offsets, at + row + 1, told->width);
        uint64_t sums[LANES];
        if (start < 0 || stop < start || stop > end || (stop > start && !data)) return DAMAGED;
        int64_t length = stop - start;
        if (told->op == LINE) length = unterminated(data + start, length);
        int room = start + (length & ~INT64_C(7)) + 8 <= end;
        text_cell(it->keys, length ? data + start : NULL, length, room, sums);
        out->lane[0][row] = sums[0];
        out->lane[1][row] = sums[1];
    }
    return WELL;
}

static void bytes_cells(const walk *it, column of, int64_t at, int64_t count, cells *out) {
    int64_t width = of.node->width;
    const uint8_t *data = of.array->buffers[1];
    int64_t end = (of.array->offset + of.array->length) * width;
    for (int64_t row = 0; row < count; row++) {
        uint64_t sums[LANES];
        int64_t start = (at + row) * width;
        int room = start + (width & ~INT64_C(7)) + 8 <= end;
        text_cell(it->keys, width ? data + start : NULL, width, room, sums);
        out->lane[0][row] = sums[0];
        out->lane[1][row] = sums[1];
    }
}

/* --- Nested ------------------------------------------------------------------------------- */

static int struct_cells(walk *it, column of, int64_t at, int64_t count, cells *out) {
    const node *below = of.node + 1;
    fill(out, count, it->keys->structure);
    for (int32_t place = 0; place < of.node->children; place++) {
        cells field;
        column child = {below, of.array->children[place]};
        int failed = column_cells(it, child, at, count, &field);
        if (failed) return failed;
        for (int lane = 0; lane < LANES; lane++) {
            uint64_t odd = key_of(it->keys, lane, place) | 1;
            for (int64_t row = 0; row < count; row++)
                out->lane[lane][row] = absorb(out->lane[lane][row], field.lane[lane][row], odd);
        }
        below += below->size;
    }
    for (int lane = 0; lane < LANES; lane++)
        for (int64_t row = 0; row < count; row++) out->lane[lane][row] = mix(out->lane[lane][row]);
    return WELL;
}

static void list_bounds(column of, int64_t at, int64_t *start, int64_t *stop) {
    if (of.node->op == FIXED_LIST) {
        *start = at * of.node->width;
        *stop = *start + of.node->width;
    } else {
        *start = bound(of.array->buffers[1], at, of.node->width);
        *stop = bound(of.array->buffers[1], at + 1, of.node->width);
    }
}

static int list_cells(walk *it, column of, int64_t at, int64_t count, cells *out) {
    column child = {of.node + 1, of.array->children[0]};
    int64_t held = 0, held_stop = 0; /* The children whose cells are in `found`. */
    int64_t first, reach;            /* Those that these rows have. */
    cells found;
    list_bounds(of, at + count - 1, &first, &reach);
    for (int64_t row = 0; row < count; row++) {
        int64_t start, stop;
        uint64_t sums[LANES] = {0, 0};
        list_bounds(of, at + row, &start, &stop);
        if (start < 0 || stop < start || stop > reach) return DAMAGED;
        for (int64_t item = start; item < stop; item++) {
            if (item < held || item >= held_stop) {
                int64_t some = reach - item < BLOCK ? reach - item : BLOCK;
                int failed = column_cells(it, child, item, some, &found);
                if (failed) return failed;
                held = item;
                held_stop = item + some;
            }
            for (int lane = 0; lane < LANES; lane++)
                sums[lane] += mix(found.lane[lane][item - held] +
                                  key_of(it->keys, lane, item - start));
        }
        for (int lane = 0; lane < LANES; lane++)
            out->lane[lane][row] =
                mix(sums[lane] + (uint64_t)(stop - start) * it->keys->length[lane]);
    }
    return WELL;
}

/* The cells of all values of a dictionary, computed when they are first asked for. */
static int dictionary_values(walk *it, column of, uint64_t **values) {
    uint64_t **kept = &it->dictionaries[of.node - it->nodes];
    column child = {of.node + 1, of.array->dictionary};
    int64_t count = child.array->length;
    if (!*kept) {
        cells found;
        *kept = malloc((size_t)count * LANES * 8 + 8);
        if (!*kept) return NO_MEMORY;
        for (int64_t at = 0; at < count; at += BLOCK) {
            int64_t some = count - at < BLOCK ? count - at : BLOCK;
            int failed = column_cells(it, child, at, some, &found);
            if (failed) return failed;
            memcpy(*kept + at, found.lane[0], (size_t)some * 8);
            memcpy(*kept + count + at, found.lane[1], (size_t)some * 8);
        }
    }
    *values = *kept;
    return WELL;
}

static int dictionary_cells(walk *it, column of, int64_t at, int64_t count, cells *out) {
    const struct ArrowArray *array = of.array;
    const uint8_t *present = array->null_count ? array->buffers[0] : NULL;
    int64_t values = array->dictionary->length;
    int all = values <= array->length;
    uint64_t *known = NULL;
    if (all) {
        int failed = dictionary_values(it, of, &known);
        if (failed) return failed;
    }
    for (int64_t row = 0; row < count; row++) {
        cells one;
        column child = {of.node + 1, array->dictionary};
        if (present && !bit(present, at + row)) continue;
        int64_t index = (int64_t)number(array->buffers[1], at + row, of.node->width, of.node->extra);
        if (index < 0 || index >= values) return DAMAGED;
        if (!all) {
            int failed = column_cells(it, child, index, 1, &one);
            if (failed) return failed;
        }
        out->lane[0][row] = all ? known[index] : one.lane[0][0];
        out->lane[1][row] = all ? known[values + index] : one.lane[1][0];
    }
    return WELL;
}

/* --- The walk ------------------------------------------------------------------------------ */

static int present_cells(walk *it, column of, int64_t at, int64_t count, cells *out) {
    switch ((enum op)of.node->op) {
    case TEXT:
    case LINE:
        return text_cells(it, of, at, count, out);
    case BYTES:
        bytes_cells(it, of, at, count, out);
        return WELL;
    case LIST:
    case FIXED_LIST:
        return list_cells(it, of, at, count, out);
    case STRUCT:
        return struct_cells(it, of, at, count, out);
    case DICTIONARY:
        return dictionary_cells(it, of, at, count, out);
    default:
        fixed_cells(it, of, at, count, out);
        return WELL;
    }
}

/* Whether an array has the buffers and children that its node reads. */
static int fits(column of) {
    const struct ArrowArray *array = of.array;
    const node *told = of.node;
    int64_t buffers = told->op == TEXT || told->op == LINE                         ? 3
                      : told->op == STRUCT || told->op == FIXED_LIST ? 1
                                                                     : 2;
    if (array->n_buffers < buffers || array->offset < 0) return 0;
    if (told->op == DICTIONARY && !array->dictionary) return 0;
    if (told->op == STRUCT) return array->n_children == told->children;
    if (told->op == FIXED_LIST) return array->n_children == 1;
    if (told->op == LIST && array->n_children != 1) return 0;
    return array->buffers[1] || (told->op == BYTES && told->width == 0);
}

/* Rows `start` up to `start + count` of a column; at most BLOCK. */
static int column_cells(walk *it, column of, int64_t start, int64_t count, cells *out) {
    const struct ArrowArray *array = of.array;
    int64_t at = array->offset + start;
    if (start < 0 || start + count > array->length) return DAMAGED;
    if (count == 0) return WELL;
    if (of.node->op == NOTHING) {
        fill(out, count, it->keys->null);
        return WELL;
    }
    if (!fits(of)) return DAMAGED;
    int failed = present_cells(it, of, at, count, out);
    const uint8_t *present = array->null_count ? array->buffers[0] : NULL;
    if (failed || !present) return failed;
    for (int64_t row = 0; row < count; row++) {
        if (bit(present, at + row)) continue;
        out->lane[0][row] = it->keys->null[0];
        out->lane[1][row] = it->keys->null[1];
    }
    return WELL;
}

CLONED static void absorb_cells(cells *restrict state, const cells *restrict taken, int64_t count,
                                const uint64_t *odd) {
    for (int lane = 0; lane < LANES; lane++)
        for (int64_t row = 0; row < count; row++)
            state->lane[lane][row] = absorb(state->lane[lane][row], taken->lane[lane][row], odd[lane]);
}

CLONED static void finish(uint64_t *restrict pairs, const cells *restrict state, int64_t count,
                          const uint64_t *final) {
    for (int64_t row = 0; row < count; row++) {
        pairs[2 * row] = mix(state->lane[0][row] ^ final[0]);
        pairs[2 * row + 1] = mix(state->lane[1][row] ^ final[1]);
    }
}

/* What one batch is: its columns, the nodes that tell them, and cells that were given. */
typedef struct {
    const struct ArrowArray *batch;
    const node *nodes;
    const uint64_t *const *given; /* Both lanes of a column, one after the other. */
    uint64_t seed[LANES];
} records;

static int block_pairs(walk *it, const records *of, int64_t start, int64_t count, uint64_t *pairs) {
    const node *told = of->nodes;
    const struct ArrowArray *batch = of->batch;
    cells state, taken;
    fill(&state, count, of->seed);
    for (int64_t place = 0; place < batch->n_children; place++) {
        uint64_t odd[LANES] = {key_of(it->keys, 0, place) | 1, key_of(it->keys, 1, place) | 1};
        column next = {told, batch->children[place]};
        if (told->op == GIVEN) {
            for (int lane = 0; lane < LANES; lane++)
                memcpy(taken.lane[lane], of->given[told->extra] + lane * batch->length + start,
                       (size_t)count * 8);
        } else {
            int failed = column_cells(it, next, batch->offset + start, count, &taken);
            if (failed) return failed;
        }
        absorb_cells(&state, &taken, count, odd);
        told += told->size;
    }
    finish(pairs, &state, count, it->keys->final);
    return WELL;
}

/* Digest every row of a batch into `pairs`, two words a row. `nodes_count` counts all nodes.
 * Returns WELL; DAMAGED for an array that is not what its type says; NO_MEMORY. */
EXPORTED int32_t repatria_digest(const schedule *keys, const records *of, int64_t nodes_count,
                                 uint64_t *pairs) {
    int failed = WELL;
    walk it = {keys, of->nodes, calloc((size_t)nodes_count + 1, sizeof(uint64_t *))};
    if (!it.dictionaries) return NO_MEMORY;
    for (int64_t start = 0; start < of->batch->length && !failed; start += BLOCK) {
        int64_t left = of->batch->length - start;
        failed = block_pairs(&it, of, start, left < BLOCK ? left : BLOCK, pairs + 2 * start);
    }
    for (int64_t at = 0; at < nodes_count; at++) free(it.dictionaries[at]);
    free(it.dictionaries);
    return failed;
}

EXPORTED int32_t repatria_version(void) { return VERSION; }

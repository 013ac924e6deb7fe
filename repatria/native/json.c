/* Lines of JSON: which are certainly one object each (RFC 8259), and the values that decide.
 *
 * Accepting is the only claim made here: an accepted line is one object in UTF-8, no deeper than
 * allowed, without a lone surrogate, no name given twice in one object, its deciding values null or
 * of their type and written without escapes. Whatever is not certain is left to connectors/formats
 * (json_judge.py), which gives it a reason or takes it. Reads no byte outside of a line.
 */
#include "arrow.h"

#define EXPORTED __attribute__((visibility("default")))

enum { DEPTH_MAX = 512, COLUMNS_MAX = 32, NAMES_MAX = 1024 };

/* A column that decides. whole: an int64, and else text. */
typedef struct {
    const uint8_t *name;
    int64_t length;
    int32_t whole;
} wanted;

/* Where a value stands (text), or what it is (whole); length < 0: null. */
typedef struct {
    int64_t value, length;
} found;

typedef struct {
    const wanted *columns;
    int32_t count, nesting;
} order;

typedef struct {
    const uint8_t *at, *end;
    int plain; /* Whether the last string had no escape. */
} cursor;

/* A name of an open object; key: its length and first bytes, which differ for nearly all. */
typedef struct {
    uint64_t key;
    const uint8_t *text;
    int64_t length;
} given;

/* The names of all objects that are open, the innermost's last; `seen` has a bit for each key. */
typedef struct {
    given each[NAMES_MAX];
    int32_t count, first[DEPTH_MAX + 1];
    uint64_t seen[DEPTH_MAX + 1];
} names;

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH EACH(0x80)

/* The lowest byte that is set stands for the first byte of the word that is zero. */
static inline uint64_t zero_bytes(uint64_t word) { return (word - EACH(1)) & ~word & HIGH; }

static inline int is_blank(uint8_t octet) {
    return octet == ' ' || octet == '\t' || octet == '\n' || octet == '\r';
}

static inline int more(cursor *it) {
    while (it->at < it->end && is_blank(*it->at)) it->at++;
    return it->at < it->end;
}

static inline int continues(const uint8_t *at, int count) {
    for (int place = 0; place < count; place++)
        if ((at[place] & 0xC0) != 0x80) return 0;
    return 1;
}

/* Step over one character of two bytes or more (RFC 3629). */
static int wide(cursor *it) {
    const uint8_t *at = it->at;
    int64_t left = it->end - at;
    int rest = *at < 0xE0 ? 1 : *at < 0xF0 ? 2 : 3;
    if (*at < 0xC2 || *at > 0xF4 || left <= rest || !continues(at + 1, rest)) return 0;
    if ((*at == 0xE0 && at[1] < 0xA0) || (*at == 0xED && at[1] > 0x9F)) return 0;
    if ((*at == 0xF0 && at[1] < 0x90) || (*at == 0xF4 && at[1] > 0x8F)) return 0;
    it->at += rest + 1;
    return 1;
}

static int hexadecimal(const uint8_t *at, uint32_t *value) {
    *value = 0;
    for (int place = 0; place < 4; place++) {
        uint8_t octet = at[place], low = octet | 0x20;
        uint32_t digit;
        if (octet >= '0' && octet <= '9')
            digit = octet - '0';
        else if (low >= 'a' && low <= 'f')
            digit = (uint32_t)(low - 'a' + 10);
        else
            return 0;
        *value = *value << 4 | digit;
    }
    return 1;
}

/* Step over an escape; surrogates must come in pairs. */
static int escape(cursor *it) {
    int64_t left = it->end - it->at;
    uint32_t high, low;
    it->plain = 0;
    if (left < 2) return 0;
    if (it->at[1] != 'u') {
        uint8_t octet = it->at[1];
        it->at += 2;
        return octet && strchr("\"\\/bfnrt", octet) != NULL;
    }
    if (left < 6 || !hexadecimal(it->at + 2, &high)) return 0;
    it->at += 6;
    if (high < 0xD800 || high > 0xDFFF) return 1;
    if (high > 0xDBFF || left < 12 || it->at[0] != '\\' || it->at[1] != 'u') return 0;
    if (!hexadecimal(it->at + 2, &low) || low < 0xDC00 || low > 0xDFFF) return 0;
    it->at += 6;
    return 1;
}

/* Step over a string, from its opening quote to past its closing one. */
static int string(cursor *it) {
    if (*it->at != '"') return 0;
    it->at++;
    it->plain = 1;
    while (it->at < it->end) {
        if (it->end - it->at >= 8) {
            uint64_t word = load64(it->at);
            uint64_t odd = zero_bytes(word ^ EACH('"')) | zero_bytes(word ^ EACH('\\')) |
                           ((word - EACH(0x20)) & ~word & HIGH) | (word & HIGH);
            if (!odd) {
                it->at += 8;
                continue;
            }
            it->at += __builtin_ctzll(odd) >> 3;
        }
        uint8_t octet = *it->at;
        if (octet == '"') {
            it->at++;
            return 1;
        }
        if (octet < 0x20) return 0;
        if (octet == '\\') {
            if (!escape(it)) return 0;
        } else if (octet >= 0x80) {
            if (!wide(it)) return 0;
        } else {
            it->at++;
        }
    }
    return 0;
}

static int digits(cursor *it) {
    const uint8_t *first = it->at;
    while (it->at < it->end && *it->at >= '0' && *it->at <= '9') it->at++;
    return it->at > first;
}

/* Step over a number; `whole` says whether it has neither fraction nor exponent. */
static int numeral(cursor *it, int *whole) {
    *whole = 1;
    if (*it->at == '-') it->at++;
    const uint8_t *first = it->at;
    if (!digits(it) || (*first == '0' && it->at - first > 1)) return 0;
    if (it->at < it->end && *it->at == '.') {
        *whole = 0;
        it->at++;
        if (!digits(it)) return 0;
    }
    if (it->at < it->end && (*it->at | 0x20) == 'e') {
        *whole = 0;
        it->at++;
        if (it->at < it->end && (*it->at == '+' || *it->at == '-')) it->at++;
        if (!digits(it)) return 0;
    }
    return 1;
}

static int literal(cursor *it, const char *text, int64_t length) {
    if (it->end - it->at < length || memcmp(it->at, text, (size_t)length) != 0) return 0;
    it->at += length;
    return 1;
}

/* The value of a whole number of at most 18 digits. */
static int small(const uint8_t *from, const uint8_t *to, int64_t *value) {
    int negative = *from == '-';
    from += negative;
    if (to - from > 18) return 0;
    *value = 0;
    for (; from < to; from++) *value = *value * 10 + (*from - '0');
    if (negative) *value = -*value;
    return 1;
}

/* Step over a scalar; where it decides, keep it. */
static int scalar(cursor *it, const uint8_t *base, const wanted *column, found *kept) {
    const uint8_t *first = it->at;
    int whole = 0;
    if (*first == '"') {
        if (!string(it)) return 0;
        if (!column) return 1;
        kept->value = first + 1 - base;
        kept->length = it->at - first - 2;
        return it->plain && !column->whole;
    }
    if (*first == 'n') {
        if (column) kept->length = -1;
        return literal(it, "null", 4);
    }
    if (*first == 't') return !column && literal(it, "true", 4);
    if (*first == 'f') return !column && literal(it, "false", 5);
    if (!numeral(it, &whole)) return 0;
    if (!column) return 1;
    kept->length = 0;
    return column->whole && whole && small(first, it->at, &kept->value);
}

/* Which column a name of the outermost object is: -1 for none. */
static int column_of(const order *of, const uint8_t *name, int64_t length) {
    for (int32_t place = 0; place < of->count; place++)
        if (of->columns[place].length == length &&
            memcmp(of->columns[place].name, name, (size_t)length) == 0)
            return place;
    return -1;
}

static uint64_t key_of(const uint8_t *text, int64_t length) {
    uint64_t front = 0, back = 0;
    if (length >= 8) {
        front = load64(text);
        back = load64(text + length - 8);
    } else {
        for (int64_t place = 0; place < length; place++) front = front << 8 | text[place];
    }
    return (front ^ (back << 1) ^ (uint64_t)length << 56) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Whether a name is new to the innermost object, and there is room for it. */
static int fresh_name(names *all, int depth, const uint8_t *text, int64_t length) {
    uint64_t key = key_of(text, length), bit = UINT64_C(1) << (key >> 58);
    if (all->count == NAMES_MAX) return 0;
    if (all->seen[depth] & bit)
        for (int32_t place = all->first[depth]; place < all->count; place++) {
            const given *one = all->each + place;
            if (one->key == key && one->length == length &&
                memcmp(one->text, text, (size_t)length) == 0)
                return 0;
        }
    all->seen[depth] |= bit;
    all->each[all->count++] = (given){key, text, length};
    return 1;
}

/* Step over a name and its colon; `column` is the one that it names. */
static int name(cursor *it, const order *of, names *all, int depth, int *column) {
    const uint8_t *first = it->at + 1;
    if (!string(it) || !it->plain) return 0;
    int64_t length = it->at - 1 - first;
    if (!fresh_name(all, depth, first, length)) return 0;
    *column = depth == 1 ? column_of(of, first, length) : -1;
    if (!more(it) || *it->at != ':') return 0;
    it->at++;
    return more(it);
}

static void open_object(names *all, int depth) {
    all->first[depth] = all->count;
    all->seen[depth] = 0;
}

/* Whether a line is one object that is certainly right; its deciding values come to `kept`. */
static int certain(cursor it, const uint8_t *base, const order *of, names *all, found *kept) {
    uint8_t shuts[DEPTH_MAX + 1]; /* What ends each open bracket. */
    int depth = 0, fresh = 1, column = -1;
    if (!more(&it) || *it.at != '{') return 0;
    shuts[++depth] = '}';
    all->count = 0;
    open_object(all, depth);
    it.at++;
    while (more(&it)) {
        if (*it.at == shuts[depth]) {
            it.at++;
            if (shuts[depth] == '}') all->count = all->first[depth];
            if (--depth == 0) return !more(&it);
            fresh = 0;
            continue;
        }
        if (!fresh) {
            if (*it.at++ != ',' || !more(&it)) return 0;
        }
        if (shuts[depth] == '}') {
            if (!name(&it, of, all, depth, &column)) return 0;
        }
        fresh = 0;
        if (*it.at == '{' || *it.at == '[') {
            if (column >= 0 || depth >= of->nesting) return 0;
            shuts[++depth] = *it.at++ == '{' ? '}' : ']';
            if (shuts[depth] == '}') open_object(all, depth);
            fresh = 1;
        } else if (!scalar(&it, base, column >= 0 ? of->columns + column : NULL,
                           column >= 0 ? kept + column : NULL)) {
            return 0;
        }
        column = -1;
    }
    return 0;
}

/* Look at `count` lines; `accepted` gets 1 for each that is certain. Their values come to `kept`,
 * line after line, `columns` values for each. Returns how many there are, or -1 if there are too
 * many columns or levels. */
EXPORTED int64_t repatria_json(const uint8_t *data, const int64_t *bounds, int64_t count,
                               const order *of, uint8_t *accepted, found *kept) {
    int64_t taken = 0;
    names all;
    if (of->count > COLUMNS_MAX || of->nesting > DEPTH_MAX) return -1;
    for (int64_t line = 0; line < count; line++) {
        cursor it = {data + bounds[line], data + bounds[line + 1], 1};
        found *mine = kept + taken * of->count;
        for (int32_t place = 0; place < of->count; place++) mine[place].length = -1;
        accepted[line] = (uint8_t)certain(it, data, of, &all, mine);
        taken += accepted[line];
    }
    return taken;
}

/* Gather the texts of one column into Arrow's layout: offsets, data, and a bit for each that is
 * there. `kept` is its first value, `step` how far the next one is. Returns the bytes of data; with
 * no place for data it only counts them. */
EXPORTED int64_t repatria_texts(const uint8_t *from, const found *kept, int64_t step, int64_t count,
                                int32_t *offsets, uint8_t *present, uint8_t *data) {
    int64_t bytes = 0;
    for (int64_t row = 0; row < count; row++) {
        const found *one = kept + row * step;
        if (data) {
            offsets[row] = (int32_t)bytes;
            if (one->length >= 0) {
                present[row >> 3] = (uint8_t)(present[row >> 3] | 1 << (row & 7));
                memcpy(data + bytes, from + one->value, (size_t)one->length);
            }
        }
        if (one->length > 0) bytes += one->length;
    }
    if (data) offsets[count] = (int32_t)bytes;
    return bytes;
}

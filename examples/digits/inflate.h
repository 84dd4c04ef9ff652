/* Unpacks zlib data (RFC 1950) that was packed by deflate (RFC 1951). */
#ifndef INFLATE_H
#define INFLATE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LONGEST_CODE = 15,
    SYMBOLS = 288,
    DISTANCES = 30,
    LENGTH_CODES = 29,
    END_OF_BLOCK = 256,
    LARGEST_RATIO = 1032, /* 258 bytes for two bits is the most that deflate can do */
    ADLER_MODULUS = 65521,
};

/* Bits come from the lowest of each byte on; behind the end of the data there are zeros. */
struct bits {
    const uint8_t *at, *end;
    uint32_t held;
    unsigned count;
    bool is_short;
};

struct output {
    uint8_t *start, *at, *end;
};

/* A canonical Huffman code: codes of one length are consecutive numbers. */
struct code {
    uint16_t count[LONGEST_CODE + 1];
    uint16_t symbols[SYMBOLS]; /* shorter codes first */
};

static uint32_t take_bits(struct bits *bits, unsigned wanted) {
    while (bits->count < wanted) {
        uint32_t next = 0;
        if (bits->at < bits->end) {
            next = *bits->at++;
        } else {
            bits->is_short = true;
        }
        bits->held |= next << bits->count;
        bits->count += 8;
    }
    uint32_t taken = bits->held & ((1u << wanted) - 1);
    bits->held >>= wanted;
    bits->count -= wanted;
    return taken;
}

/* False when there are more codes of some length than there can be. A code may be incomplete. */
static bool make_code(struct code *code, const uint8_t *lengths, unsigned symbols) {
    uint16_t next[LONGEST_CODE + 2];
    int room = 1;
    for (unsigned length = 0; length <= LONGEST_CODE; length++) {
        code->count[length] = 0;
    }
    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        code->count[lengths[symbol]]++;
    }
    code->count[0] = 0;
    next[1] = 0;
    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        room = 2 * room - code->count[length];
        if (room < 0) {
            return false;
        }
        next[length + 1] = next[length] + code->count[length];
    }
    for (unsigned symbol = 0; symbol < symbols; symbol++) {
        if (lengths[symbol] != 0) {
            code->symbols[next[lengths[symbol]]++] = (uint16_t)symbol;
        }
    }
    return true;
}

/* The next symbol, or -1 for bits that are no code. */
static int take_symbol(struct bits *bits, const struct code *code) {
    uint32_t number = 0, lowest = 0, passed = 0;
    for (unsigned length = 1; length <= LONGEST_CODE; length++) {
        number = number << 1 | take_bits(bits, 1);
        lowest <<= 1;
        if (number - lowest < code->count[length]) {
            return code->symbols[passed + number - lowest];
        }
        lowest += code->count[length];
        passed += code->count[length];
    }
    return -1;
}

static bool copy_stored(struct bits *bits, struct output *output) {
    bits->held = 0; /* less than a byte is held: the rest of it is not used */
    bits->count = 0;
    uint32_t length = take_bits(bits, 16);
    uint32_t complement = take_bits(bits, 16);
    if (bits->is_short || (length ^ complement) != 0xffff ||
        length > (size_t)(bits->end - bits->at) || length > (size_t)(output->end - output->at)) {
        return false;
    }
    for (; length > 0; length--) {
        *output->at++ = *bits->at++;
    }
    return true;
}

/* Code i of lengths stands for one from a range, within which further bits choose. */
static uint32_t take_length(struct bits *bits, unsigned i) {
    if (i == LENGTH_CODES - 1) {
        return 258;
    }
    if (i < 8) {
        return 3 + i;
    }
    unsigned extra = i / 4 - 1;
    return 3 + ((4 + i % 4) << extra) + take_bits(bits, extra);
}

static uint32_t take_distance(struct bits *bits, unsigned i) {
    if (i < 4) {
        return 1 + i;
    }
    unsigned extra = i / 2 - 1;
    return 1 + ((2 + i % 2) << extra) + take_bits(bits, extra);
}

static bool repeat_output(struct output *output, uint32_t length, uint32_t distance) {
    if (distance > (size_t)(output->at - output->start) ||
        length > (size_t)(output->end - output->at)) {
        return false;
    }
    for (; length > 0; length--, output->at++) {
        *output->at = output->at[-(ptrdiff_t)distance];
    }
    return true;
}

static bool unpack_block(struct bits *bits, struct output *output, const struct code *literals,
                         const struct code *distances) {
    while (!bits->is_short) {
        int symbol = take_symbol(bits, literals);
        if (symbol == END_OF_BLOCK) {
            return !bits->is_short;
        }
        if (symbol < 0 || symbol > END_OF_BLOCK + LENGTH_CODES) {
            return false;
        }
        if (symbol < END_OF_BLOCK) {
            if (output->at == output->end) {
                return false;
            }
            *output->at++ = (uint8_t)symbol;
            continue;
        }
        uint32_t length = take_length(bits, (unsigned)symbol - END_OF_BLOCK - 1);
        int distance = take_symbol(bits, distances);
        if (distance < 0 || distance >= DISTANCES ||
            !repeat_output(output, length, take_distance(bits, (unsigned)distance))) {
            return false;
        }
    }
    return false;
}

static bool make_fixed_codes(struct code *literals, struct code *distances) {
    uint8_t lengths[SYMBOLS];
    for (unsigned i = 0; i < SYMBOLS; i++) {
        lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    bool is_good = make_code(literals, lengths, SYMBOLS);
    for (unsigned i = 0; i < DISTANCES; i++) {
        lengths[i] = 5;
    }
    return make_code(distances, lengths, DISTANCES) && is_good;
}

/* The lengths of a block's own codes are packed themselves; 16, 17 and 18 repeat one. */
static bool take_lengths(struct bits *bits, const struct code *code, uint8_t *lengths,
                         unsigned wanted) {
    unsigned known = 0;
    while (known < wanted) {
        int symbol = take_symbol(bits, code);
        if (symbol < 0 || bits->is_short || (symbol == 16 && known == 0)) {
            return false;
        }
        if (symbol < 16) {
            lengths[known++] = (uint8_t)symbol;
            continue;
        }
        uint8_t repeated = symbol == 16 ? lengths[known - 1] : 0;
        unsigned times = symbol == 16   ? 3 + take_bits(bits, 2)
                         : symbol == 17 ? 3 + take_bits(bits, 3)
                                        : 11 + take_bits(bits, 7);
        if (times > wanted - known) {
            return false;
        }
        while (times-- > 0) {
            lengths[known++] = repeated;
        }
    }
    return true;
}

static bool take_codes(struct bits *bits, struct code *literals, struct code *distances) {
    static const uint8_t ORDER[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};
    uint8_t lengths[SYMBOLS + 32];
    unsigned literal_count = 257 + take_bits(bits, 5);
    unsigned distance_count = 1 + take_bits(bits, 5);
    unsigned given = 4 + take_bits(bits, 4);
    if (literal_count > SYMBOLS - 2 || distance_count > DISTANCES) {
        return false;
    }
    for (unsigned i = 0; i < 19; i++) {
        lengths[ORDER[i]] = i < given ? (uint8_t)take_bits(bits, 3) : 0;
    }
    return make_code(literals, lengths, 19) &&
           take_lengths(bits, literals, lengths, literal_count + distance_count) &&
           lengths[END_OF_BLOCK] != 0 && make_code(literals, lengths, literal_count) &&
           make_code(distances, lengths + literal_count, distance_count);
}

static bool unpack_blocks(struct bits *bits, struct output *output) {
    struct code literals, distances;
    bool is_last = false, is_good = true;
    while (is_good && !is_last) { /* each block takes three bits at least: this ends */
        is_last = take_bits(bits, 1);
        switch (take_bits(bits, 2)) {
        case 0:
            is_good = copy_stored(bits, output);
            break;
        case 1:
            is_good = make_fixed_codes(&literals, &distances) &&
                      unpack_block(bits, output, &literals, &distances);
            break;
        case 2:
            is_good = take_codes(bits, &literals, &distances) &&
                      unpack_block(bits, output, &literals, &distances);
            break;
        default:
            is_good = false;
        }
    }
    return is_good;
}

static uint32_t adler32(const uint8_t *at, const uint8_t *end) {
    uint32_t low = 1, high = 0;
    for (; at < end; at++) {
        low = (low + *at) % ADLER_MODULUS;
        high = (high + low) % ADLER_MODULUS;
    }
    return high << 16 | low;
}

/* Whether the data unpack to exactly as many bytes as there is room for, undamaged. */
static bool inflate(const uint8_t *packed, const uint8_t *end, uint8_t *start, uint8_t *limit) {
    if (end - packed < 2 || (packed[0] & 15) != 8 || (packed[0] << 8 | packed[1]) % 31 != 0 ||
        (packed[1] & 32) != 0) {
        return false;
    }
    struct bits bits = {packed + 2, end, 0, 0, false};
    struct output output = {start, start, limit};
    if (!unpack_blocks(&bits, &output) || output.at != limit || end - bits.at < 4) {
        return false;
    }
    const uint8_t *sum = bits.at;
    return adler32(start, limit) ==
           ((uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3]);
}

#endif

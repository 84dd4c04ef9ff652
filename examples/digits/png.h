/* PNG files of 8 bits per sample, without palette or interlace: https://www.w3.org/TR/png-3/ */
#ifndef PNG_H
#define PNG_H
#include "arena.h"
#include "inflate.h"
#include "outcome.h"
#include "picture.h"

enum { SIGNATURE_BYTES = 8, HEADER_BYTES = 13, CHUNK_BYTES = 12 };

static const char PNG_SIGNATURE[] = "\x89PNG\r\n\x1a\n";

static enum outcome read_header(const uint8_t *header, struct picture *picture) {
    static const uint8_t CHANNELS[7] = {1, 0, 3, 0, 2, 0, 4}; /* by colour type; 3 is a palette */
    picture->width = big_endian(header);
    picture->height = big_endian(header + 4);
    uint8_t depth = header[8], colour = header[9];
    if (depth != 8 || colour > 6 || CHANNELS[colour] == 0 ||
        (header[10] | header[11] | header[12]) != 0) {
        return UNSUPPORTED;
    }
    picture->channels = CHANNELS[colour];
    picture->stride = 1 + picture->width * picture->channels;
    picture->skipped = 1;
    picture->brightest = 255;
    return check_sides(picture);
}

static bool is_chunk(struct span chunks, const char *type) {
    return starts_with((struct span){chunks.at + 4, chunks.end}, type, 4);
}

/* Joins the chunks of packed pixels; what is behind a damaged chunk is not looked at. */
static uint32_t join_data(struct span chunks, uint8_t *packed) {
    uint32_t length = 0;
    while (chunks.end - chunks.at >= CHUNK_BYTES && !is_chunk(chunks, "IEND")) {
        uint32_t size = big_endian(chunks.at);
        if (size > (size_t)(chunks.end - chunks.at) - CHUNK_BYTES) {
            break;
        }
        for (uint32_t i = 0; is_chunk(chunks, "IDAT") && i < size; i++) {
            packed[length++] = chunks.at[8 + i];
        }
        chunks.at += CHUNK_BYTES + size;
    }
    return length;
}

static int distance(int a, int b) {
    return a < b ? b - a : a - b;
}

/* Whichever of the three neighbours is nearest to left + above - corner. */
static uint8_t predict(uint8_t left, uint8_t above, uint8_t corner) {
    int estimate = left + above - corner;
    int to_left = distance(estimate, left), to_above = distance(estimate, above);
    int to_corner = distance(estimate, corner);
    if (to_left <= to_above && to_left <= to_corner) {
        return left;
    }
    return to_above <= to_corner ? above : corner;
}

static bool undo_filter(uint8_t *row, const uint8_t *previous, uint32_t length, uint32_t channels) {
    uint8_t filter = row[-1];
    for (uint32_t i = 0; i < length; i++) {
        uint8_t left = i < channels ? 0 : row[i - channels];
        uint8_t above = previous == NULL ? 0 : previous[i];
        uint8_t corner = previous == NULL || i < channels ? 0 : previous[i - channels];
        switch (filter) {
        case 0:
            return true;
        case 1:
            row[i] += left;
            break;
        case 2:
            row[i] += above;
            break;
        case 3:
            row[i] += (uint8_t)((left + above) / 2);
            break;
        case 4:
            row[i] += predict(left, above, corner);
            break;
        default:
            return false;
        }
    }
    return true;
}

static bool undo_filters(const struct picture *picture, uint8_t *rows) {
    const uint8_t *previous = NULL;
    for (uint32_t y = 0; y < picture->height; y++) {
        uint8_t *row = rows + (size_t)y * picture->stride + 1;
        if (!undo_filter(row, previous, picture->stride - 1, picture->channels)) {
            return false;
        }
        previous = row;
    }
    return true;
}

static enum outcome unpack_pixels(struct span chunks, struct picture *picture) {
    uint64_t size = (uint64_t)picture->stride * picture->height;
    uint8_t *packed = arena_take((uint64_t)(chunks.end - chunks.at));
    if (packed == NULL) {
        return NO_MEMORY;
    }
    uint32_t length = join_data(chunks, packed);
    if (size / LARGEST_RATIO > length) { /* so few bytes: no need to ask for the memory */
        return DAMAGED;
    }
    uint8_t *rows = arena_take(size);
    if (rows == NULL) {
        return NO_MEMORY;
    }
    picture->rows = rows;
    return inflate(packed, packed + length, rows, rows + size) && undo_filters(picture, rows)
               ? DONE
               : DAMAGED;
}

static enum outcome read_png(struct span content, struct picture *picture) {
    struct span chunks = {content.at + SIGNATURE_BYTES, content.end};
    if (chunks.end - chunks.at < CHUNK_BYTES + HEADER_BYTES ||
        big_endian(chunks.at) != HEADER_BYTES || !is_chunk(chunks, "IHDR")) {
        return DAMAGED;
    }
    enum outcome outcome = read_header(chunks.at + 8, picture);
    if (outcome != DONE) {
        return outcome;
    }
    chunks.at += CHUNK_BYTES + HEADER_BYTES;
    return unpack_pixels(chunks, picture);
}

#endif

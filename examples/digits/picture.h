/* A picture whose pixels lie in memory, whatever file they came from. */
#ifndef PICTURE_H
#define PICTURE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

enum { SIDE_LIMIT = 65535, PIXELS_LIMIT = 1 << 24 };

struct span {
    const uint8_t *at, *end;
};

/* Rows of `stride` bytes, of which the first `skipped` are no samples. */
struct picture {
    uint32_t width, height, channels, stride, skipped, brightest;
    const uint8_t *rows;
};

static bool starts_with(struct span content, const char *text, uint32_t length) {
    if ((size_t)(content.end - content.at) < length) {
        return false;
    }
    for (uint32_t i = 0; i < length; i++) {
        if (content.at[i] != (uint8_t)text[i]) {
            return false;
        }
    }
    return true;
}

static enum outcome check_sides(const struct picture *picture) {
    if (picture->width == 0 || picture->height == 0) {
        return UNSUPPORTED;
    }
    if (picture->width > SIDE_LIMIT || picture->height > SIDE_LIMIT ||
        (uint64_t)picture->width * picture->height > PIXELS_LIMIT) {
        return TOO_LARGE;
    }
    return DONE;
}

static uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

#endif

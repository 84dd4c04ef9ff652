/* Any picture as 8 x 8 amounts of ink from 0 to 1, as the network was trained with. */
#ifndef REDUCE_H
#define REDUCE_H
#include "outcome.h"
#include "picture.h"

enum { SIDE = 8, CELLS = SIDE * SIDE, WHITE = 255, LEAST_CONTRAST = 8 };

/* Brightness from 0 to 255: colours weighted as in ITU-R BT.601, in front of white paper. */
static uint32_t brightness(const struct picture *picture, const uint8_t *pixel) {
    uint32_t grey = pixel[0];
    if (picture->channels >= 3) {
        grey = (299u * pixel[0] + 587u * pixel[1] + 114u * pixel[2] + 500u) / 1000u;
    }
    if (picture->channels % 2 == 0) {
        uint32_t opacity = pixel[picture->channels - 1];
        grey = (grey * opacity + WHITE * (255 - opacity) + 127u) / 255u;
    }
    grey = grey < picture->brightest ? grey : picture->brightest;
    return grey * WHITE / picture->brightest;
}

/* How far pixel i of `length` reaches into a cell; a pixel is SIDE long, a cell is `length` long. */
static uint32_t overlap(uint32_t i, uint32_t cell, uint32_t length) {
    uint32_t start = i * SIDE, end = start + SIDE;
    uint32_t cell_start = cell * length, cell_end = cell_start + length;
    start = start > cell_start ? start : cell_start;
    end = end < cell_end ? end : cell_end;
    return end > start ? end - start : 0;
}

/* The sums of one row of pixels, by column of cells. */
static void add_up_row(const struct picture *picture, uint32_t y, uint64_t sums[SIDE]) {
    const uint8_t *pixel = picture->rows + (size_t)y * picture->stride + picture->skipped;
    for (uint32_t cell = 0; cell < SIDE; cell++) {
        sums[cell] = 0;
    }
    for (uint32_t x = 0; x < picture->width; x++, pixel += picture->channels) {
        uint32_t value = brightness(picture, pixel);
        uint32_t first = x * SIDE / picture->width;
        uint32_t last = (x * SIDE + SIDE - 1) / picture->width;
        for (uint32_t cell = first; cell <= last; cell++) {
            sums[cell] += (uint64_t)value * overlap(x, cell, picture->width);
        }
    }
}

/* The mean brightness of each cell; pixels on an edge count for both sides in proportion. */
static void average(const struct picture *picture, float cells[CELLS]) {
    uint64_t sums[CELLS], row[SIDE];
    for (uint32_t i = 0; i < CELLS; i++) {
        sums[i] = 0;
    }
    for (uint32_t y = 0; y < picture->height; y++) {
        add_up_row(picture, y, row);
        uint32_t first = y * SIDE / picture->height;
        uint32_t last = (y * SIDE + SIDE - 1) / picture->height;
        for (uint32_t cell = first; cell <= last; cell++) {
            for (uint32_t x = 0; x < SIDE; x++) {
                sums[cell * SIDE + x] += row[x] * overlap(y, cell, picture->height);
            }
        }
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        cells[i] = (float)sums[i] / (float)((uint64_t)picture->width * picture->height);
    }
}

/* Ink is whatever there is less of: bright on a dark ground or dark on a bright one. */
static enum outcome to_ink(float cells[CELLS]) {
    float darkest = WHITE, brightest = 0, sum = 0;
    for (uint32_t i = 0; i < CELLS; i++) {
        darkest = cells[i] < darkest ? cells[i] : darkest;
        brightest = cells[i] > brightest ? cells[i] : brightest;
        sum += cells[i];
    }
    float range = brightest - darkest;
    if (range < LEAST_CONTRAST) {
        return BLANK;
    }
    bool is_dark_on_bright = sum / CELLS > (darkest + brightest) / 2;
    for (uint32_t i = 0; i < CELLS; i++) {
        cells[i] = is_dark_on_bright ? (brightest - cells[i]) / range : (cells[i] - darkest) / range;
    }
    return DONE;
}

static enum outcome reduce(const struct picture *picture, float cells[CELLS]) {
    average(picture, cells);
    return to_ink(cells);
}

#endif

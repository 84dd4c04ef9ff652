/* Tells which handwritten digit a picture shows. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "files.h"
#include "network.h"
#include "outcome.h"
#include "pgm.h"
#include "picture.h"
#include "png.h"
#include "reduce.h"

#define EXPORT(name) __attribute__((export_name(#name)))

static const char MODEL[] = "model";
static const char IMAGE[] = "image.jpeg"; /* the name is the convention's: PNG or PGM is in it */

static enum outcome read_picture(struct span image, struct picture *picture) {
    if (starts_with(image, PNG_SIGNATURE, sizeof PNG_SIGNATURE - 1)) {
        return read_png(image, picture);
    }
    if (starts_with(image, PGM_SIGNATURE, sizeof PGM_SIGNATURE - 1)) {
        return read_pgm(image, picture);
    }
    return NOT_A_PICTURE;
}

/* The class, or an outcome, which is negative. */
static int32_t infer(struct span model, struct span image) {
    struct network network;
    struct picture picture;
    float cells[CELLS];
    if (!read_network(model, CELLS, &network)) {
        return BAD_MODEL;
    }
    enum outcome outcome = read_picture(image, &picture);
    if (outcome == DONE) {
        outcome = reduce(&picture, cells);
    }
    return outcome == DONE ? classify(&network, cells) : outcome;
}

static bool is_in_memory(uint32_t address, uint32_t length) {
    return (uint64_t)address + length <= memory_bytes();
}

static struct span to_span(uint32_t address, uint32_t length) {
    const uint8_t *at = (const uint8_t *)(uintptr_t)address;
    return (struct span){at, at + length};
}

EXPORT(alloc) uint8_t *alloc(uint32_t size) {
    return arena_take(size == 0 ? 1 : size);
}

EXPORT(dealloc) void dealloc(uint8_t *piece, uint32_t size) {
    arena_give_back(piece, size == 0 ? 1 : size);
}

EXPORT(infer_from_ptrs)
int32_t infer_from_ptrs(uint32_t model, uint32_t model_length, uint32_t image,
                        uint32_t image_length) {
    if (!is_in_memory(model, model_length) || !is_in_memory(image, image_length)) {
        return BAD_POINTER;
    }
    uintptr_t used = arena_used;
    int32_t result = infer(to_span(model, model_length), to_span(image, image_length));
    arena_used = used;
    return result;
}

EXPORT(infer_predefined_paths) int32_t infer_predefined_paths(void) {
    struct span model, image;
    uintptr_t used = arena_used;
    int32_t result = load_file(MODEL, sizeof MODEL - 1, &model);
    if (result == DONE) {
        result = load_file(IMAGE, sizeof IMAGE - 1, &image);
    }
    if (result == DONE) {
        result = infer(model, image);
    }
    arena_used = used;
    return result;
}

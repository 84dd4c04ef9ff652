/* Takes a picture with the camera of the machine that it runs on. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../grayscale/wasi.h"
#include "camera.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum outcome { DONE = 0, UNWRITABLE = 8 };

enum { PAGE_BYTES = 65536 };

static const char IMAGE[] = "image.jpeg";

/* Everything from the linker's heap base on is ours: one picture at a time, from the start. */
extern uint8_t __heap_base;

/* Called by the host for the memory of the picture; NULL when there is not enough. */
EXPORT(alloc) uint8_t *alloc(uint32_t size) {
    uint64_t end = (uintptr_t)&__heap_base + (uint64_t)size;
    uint64_t available = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
    if (end > available) {
        size_t pages = (size_t)((end - available + PAGE_BYTES - 1) / PAGE_BYTES);
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) {
            return NULL;
        }
    }
    return &__heap_base;
}

static bool write_all(int32_t file, uint8_t *at, uint8_t *end) {
    while (at < end) {
        struct wasi_buffer rest = {at, (uint32_t)(end - at)};
        uint32_t length = 0;
        if (wasi_fd_write(file, &rest, 1, &length) != WASI_SUCCESS || length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

static bool store(uint8_t *picture, uint32_t size) {
    int32_t file;
    if (wasi_path_open(WASI_FOLDER, 0, IMAGE, sizeof IMAGE - 1,
                       WASI_OPEN_CREATE | WASI_OPEN_TRUNCATE, WASI_RIGHT_WRITE, 0, 0,
                       &file) != WASI_SUCCESS) {
        return false;
    }
    bool is_written = write_all(file, picture, picture + size);
    return wasi_fd_close(file) == WASI_SUCCESS && is_written;
}

/* A picture that the host cannot take ends the call here: there is no outcome for it. */
static enum outcome take_and_store(void) {
    uint8_t *picture;
    uint32_t size;
    camera_take_image(&picture, &size);
    if (!store(picture, size)) {
        wasi_path_unlink_file(WASI_FOLDER, IMAGE, sizeof IMAGE - 1); /* rather none than a half */
        return UNWRITABLE;
    }
    return DONE;
}

EXPORT(take_image_predefined_path) int32_t take_image_predefined_path(void) {
    return take_and_store();
}

/* The same under the name that older manifests use. */
EXPORT(take_image) int32_t take_image(void) { return take_and_store(); }

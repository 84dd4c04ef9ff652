/* Memory from the linker's heap base on: taken in a row, given back from the end. */
#ifndef ARENA_H
#define ARENA_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_BYTES = 65536, ALIGNMENT = 16 };

extern uint8_t __heap_base;
static uintptr_t arena_used;

static uint64_t memory_bytes(void) {
    return (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
}

static uint64_t align(uint64_t size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static uintptr_t arena_start(void) {
    return (uintptr_t)align((uintptr_t)&__heap_base);
}

static uint8_t *arena_take(uint64_t size) {
    uint64_t start = arena_start() + arena_used, end = start + align(size);
    if (end > UINT32_MAX) {
        return NULL;
    }
    if (end > memory_bytes()) {
        size_t pages = (size_t)((end - memory_bytes() + PAGE_BYTES - 1) / PAGE_BYTES);
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) {
            return NULL;
        }
    }
    arena_used = (uintptr_t)(end - arena_start());
    return (uint8_t *)(uintptr_t)start;
}

/* Gives back the piece at the end; another one stays until those behind it are gone. */
static void arena_give_back(const uint8_t *piece, uint32_t size) {
    uint64_t start = (uintptr_t)piece;
    if (start >= arena_start() && start + align(size) == arena_start() + arena_used) {
        arena_used = (uintptr_t)(start - arena_start());
    }
}

#endif

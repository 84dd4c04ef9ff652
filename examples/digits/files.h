/* Whole files of the module's folder, through WASI. */
#ifndef FILES_H
#define FILES_H
#include "../grayscale/wasi.h"
#include "arena.h"
#include "outcome.h"
#include "picture.h"

enum { FILE_LIMIT_BYTES = 64 << 20 };

/* The whole file; what it has grown by meanwhile is left out. */
static enum outcome read_file(int32_t file, struct span *content) {
    struct wasi_filestat filestat;
    if (wasi_fd_filestat_get(file, &filestat) != WASI_SUCCESS) {
        return UNREADABLE;
    }
    if (filestat.size > FILE_LIMIT_BYTES) {
        return TOO_LARGE;
    }
    uint8_t *at = arena_take(filestat.size), *end = at + filestat.size;
    if (at == NULL) {
        return NO_MEMORY;
    }
    content->at = at;
    while (at < end) {
        struct wasi_buffer rest = {at, (uint32_t)(end - at)};
        uint32_t length = 0;
        if (wasi_fd_read(file, &rest, 1, &length) != WASI_SUCCESS) {
            return UNREADABLE;
        }
        if (length == 0) {
            break;
        }
        at += length;
    }
    content->end = at;
    return DONE;
}

static enum outcome load_file(const char *name, uint32_t name_length, struct span *content) {
    int32_t file;
    if (wasi_path_open(WASI_FOLDER, 0, name, name_length, 0,
                       WASI_RIGHT_READ | WASI_RIGHT_FILESTAT, 0, 0, &file) != WASI_SUCCESS) {
        return NO_FILE;
    }
    enum outcome outcome = read_file(file, content);
    wasi_fd_close(file);
    return outcome;
}

#endif

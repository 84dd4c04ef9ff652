/* Turns the colour picture image.ppm (P6) into the grey picture result.pgm (P5). */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wasi.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum outcome {
    DONE = 0,
    NO_IMAGE = 1,
    UNREADABLE = 2,
    NOT_A_PPM = 3,
    UNSUPPORTED = 4, /* no pixels at all, or samples of more than one byte */
    TRUNCATED = 5,
    TOO_LARGE = 6,
    NO_MEMORY = 7,
    UNWRITABLE = 8,
};

enum { FILE_LIMIT_BYTES = 64 << 20, SIDE_LIMIT = 65535, PAGE_BYTES = 65536, HEADER_BYTES = 32 };

static const char IMAGE[] = "image.ppm";
static const char RESULT[] = "result.pgm";

struct span {
    uint8_t *at, *end;
};

struct picture {
    uint32_t width, height, brightest;
    uint8_t *pixels;
};

/* Everything from the linker's heap base on is ours: one picture at a time, from the start. */
extern uint8_t __heap_base;

static uint8_t *reserve(uint64_t size) {
    uint64_t end = (uintptr_t)&__heap_base + size;
    uint64_t available = (uint64_t)__builtin_wasm_memory_size(0) * PAGE_BYTES;
    if (end > available) {
        size_t pages = (size_t)((end - available + PAGE_BYTES - 1) / PAGE_BYTES);
        if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) {
            return NULL;
        }
    }
    return &__heap_base;
}

/* Fills the span from the file; a shorter file moves the end. */
static bool read_all(int32_t file, struct span *content) {
    uint8_t *at = content->at;
    while (at < content->end) {
        struct wasi_buffer rest = {at, (uint32_t)(content->end - at)};
        uint32_t length = 0;
        if (wasi_fd_read(file, &rest, 1, &length) != WASI_SUCCESS) {
            return false;
        }
        if (length == 0) {
            break;
        }
        at += length;
    }
    content->end = at;
    return true;
}

static enum outcome load_file(int32_t file, struct span *content) {
    struct wasi_filestat filestat;
    if (wasi_fd_filestat_get(file, &filestat) != WASI_SUCCESS) {
        return UNREADABLE;
    }
    if (filestat.size > FILE_LIMIT_BYTES) {
        return TOO_LARGE;
    }
    content->at = reserve(filestat.size);
    if (content->at == NULL) {
        return NO_MEMORY;
    }
    content->end = content->at + filestat.size;
    return read_all(file, content) ? DONE : UNREADABLE;
}

static enum outcome load_image(struct span *content) {
    int32_t file;
    if (wasi_path_open(WASI_FOLDER, 0, IMAGE, sizeof IMAGE - 1, 0,
                       WASI_RIGHT_READ | WASI_RIGHT_FILESTAT, 0, 0, &file) != WASI_SUCCESS) {
        return NO_IMAGE;
    }
    enum outcome outcome = load_file(file, content);
    wasi_fd_close(file);
    return outcome;
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Passes white space and comments, of which there must be some. */
static bool skip_space(struct span *text) {
    uint8_t *start = text->at;
    while (text->at < text->end && (is_space(*text->at) || *text->at == '#')) {
        if (*text->at == '#') {
            while (text->at < text->end && *text->at != '\n') {
                text->at++;
            }
        } else {
            text->at++;
        }
    }
    return text->at > start;
}

/* Reads one number of the header; numbers above the limit become limit + 1. */
static bool read_number(struct span *text, uint32_t limit, uint32_t *number) {
    if (!skip_space(text) || text->at == text->end || *text->at < '0' || *text->at > '9') {
        return false;
    }
    *number = 0;
    while (text->at < text->end && *text->at >= '0' && *text->at <= '9') {
        *number = *number * 10 + (*text->at++ - '0');
        if (*number > limit) {
            *number = limit + 1;
        }
    }
    return true;
}

/* ppm(5): magic, width, height and the greatest sample, then one white space and the samples. */
static enum outcome parse_ppm(struct span text, struct picture *picture) {
    if (text.end - text.at < 2 || text.at[0] != 'P' || text.at[1] != '6') {
        return NOT_A_PPM;
    }
    text.at += 2;
    if (!read_number(&text, SIDE_LIMIT, &picture->width) ||
        !read_number(&text, SIDE_LIMIT, &picture->height) ||
        !read_number(&text, UINT8_MAX, &picture->brightest) || text.at == text.end ||
        !is_space(*text.at)) {
        return NOT_A_PPM;
    }
    text.at++;
    if (picture->width > SIDE_LIMIT || picture->height > SIDE_LIMIT) {
        return TOO_LARGE;
    }
    if (picture->width == 0 || picture->height == 0 || picture->brightest == 0 ||
        picture->brightest > UINT8_MAX) {
        return UNSUPPORTED;
    }
    picture->pixels = text.at;
    uint64_t samples = (uint64_t)picture->width * picture->height * 3;
    return samples > (uint64_t)(text.end - text.at) ? TRUNCATED : DONE;
}

/* In place: pixel i is read from 3i on and written at i. Weights of ITU-R BT.601, rounded. */
static void make_grey(const struct picture *picture) {
    uint32_t count = picture->width * picture->height;
    const uint8_t *colour = picture->pixels;
    for (uint32_t i = 0; i < count; i++, colour += 3) {
        uint32_t grey = (299u * colour[0] + 587u * colour[1] + 114u * colour[2] + 500u) / 1000u;
        picture->pixels[i] = (uint8_t)(grey < picture->brightest ? grey : picture->brightest);
    }
}

static uint8_t *put_number(uint8_t *at, uint32_t number) {
    uint8_t digits[10];
    int count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        *at++ = digits[--count];
    }
    return at;
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

static bool write_pgm(int32_t file, const struct picture *picture) {
    uint8_t header[HEADER_BYTES] = {'P', '5', '\n'};
    uint8_t *at = put_number(header + 3, picture->width);
    *at++ = ' ';
    at = put_number(at, picture->height);
    *at++ = '\n';
    at = put_number(at, picture->brightest);
    *at++ = '\n';
    return write_all(file, header, at) &&
           write_all(file, picture->pixels,
                     picture->pixels + (size_t)picture->width * picture->height);
}

static enum outcome store_result(const struct picture *picture) {
    int32_t file;
    if (wasi_path_open(WASI_FOLDER, 0, RESULT, sizeof RESULT - 1,
                       WASI_OPEN_CREATE | WASI_OPEN_TRUNCATE, WASI_RIGHT_WRITE, 0, 0,
                       &file) != WASI_SUCCESS) {
        return UNWRITABLE;
    }
    bool is_written = write_pgm(file, picture);
    bool is_closed = wasi_fd_close(file) == WASI_SUCCESS;
    return is_written && is_closed ? DONE : UNWRITABLE;
}

/* No result is better than an old or half a one: a failed call leaves none. */
static void remove_result(void) {
    wasi_path_unlink_file(WASI_FOLDER, RESULT, sizeof RESULT - 1);
}

EXPORT(grayscale) int32_t grayscale(void) {
    struct span content;
    struct picture picture;
    remove_result();
    enum outcome outcome = load_image(&content);
    if (outcome == DONE) {
        outcome = parse_ppm(content, &picture);
    }
    if (outcome == DONE) {
        make_grey(&picture);
        outcome = store_result(&picture);
    }
    if (outcome == UNWRITABLE) {
        remove_result();
    }
    return outcome;
}

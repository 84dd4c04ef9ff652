/* Counts lines, words and bytes of the files that its arguments name, or of its input. */
#include <stdbool.h>
#include <stdint.h>

#include "wasi.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum { ARGUMENTS_LIMIT = 65, ARGUMENTS_BYTES = 8192, READ_BYTES = 65536 };
enum exit_code { DONE = 0, UNREADABLE = 1, USAGE = 2, UNWRITABLE = 3 };

struct counts {
    uint64_t lines, words, bytes;
};

static uint32_t length_of(const char *text) {
    uint32_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

static bool write_text(int32_t file, const char *text) {
    uint32_t left = length_of(text);
    while (left > 0) {
        struct wasi_buffer rest = {(uint8_t *)text, left};
        uint32_t written = 0;
        if (wasi_fd_write(file, &rest, 1, &written) != WASI_SUCCESS || written == 0) {
            return false;
        }
        text += written;
        left -= written;
    }
    return true;
}

static bool write_number(uint64_t number) {
    char digits[21];
    char *at = digits + sizeof digits;
    *--at = '\0';
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return write_text(WASI_STDOUT, at);
}

static bool is_space(uint8_t byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool count(int32_t file, struct counts *counts) {
    static uint8_t bytes[READ_BYTES];
    const struct wasi_buffer buffer = {bytes, sizeof bytes};
    bool is_in_word = false;
    for (;;) {
        uint32_t length = 0;
        if (wasi_fd_read(file, &buffer, 1, &length) != WASI_SUCCESS) {
            return false;
        }
        if (length == 0) {
            return true;
        }
        for (uint32_t i = 0; i < length; i++) {
            bool was_in_word = is_in_word;
            is_in_word = !is_space(bytes[i]);
            counts->words += is_in_word && !was_in_word;
            counts->lines += bytes[i] == '\n';
        }
        counts->bytes += length;
    }
}

static bool count_file(const char *name, struct counts *counts) {
    int32_t file;
    if (wasi_path_open(WASI_FOLDER, 0, name, length_of(name), 0, WASI_RIGHT_READ, 0, 0, &file) !=
        WASI_SUCCESS) {
        return false;
    }
    bool is_read = count(file, counts);
    wasi_fd_close(file);
    return is_read;
}

static bool print(const struct counts *counts, const char *name) {
    return write_number(counts->lines) && write_text(WASI_STDOUT, " ") &&
           write_number(counts->words) && write_text(WASI_STDOUT, " ") &&
           write_number(counts->bytes) && (name == 0 || write_text(WASI_STDOUT, " ")) &&
           (name == 0 || write_text(WASI_STDOUT, name)) && write_text(WASI_STDOUT, "\n");
}

static enum exit_code report(bool is_read, const struct counts *counts, const char *name) {
    if (is_read) {
        return print(counts, name) ? DONE : UNWRITABLE;
    }
    write_text(WASI_STDERR, "wordcount: cannot read ");
    write_text(WASI_STDERR, name == 0 ? "the input" : name);
    write_text(WASI_STDERR, "\n");
    return UNREADABLE;
}

EXPORT(_start) void start(void) {
    static char *arguments[ARGUMENTS_LIMIT];
    static char text[ARGUMENTS_BYTES];
    uint32_t number = 0, length = 0;
    if (wasi_args_sizes_get(&number, &length) != WASI_SUCCESS || number > ARGUMENTS_LIMIT ||
        length > sizeof text || wasi_args_get(arguments, text) != WASI_SUCCESS) {
        write_text(WASI_STDERR, "wordcount: too many arguments\n");
        wasi_proc_exit(USAGE);
    }
    enum exit_code code = DONE;
    for (uint32_t i = 1; i < number; i++) {
        struct counts counts = {0};
        enum exit_code one = report(count_file(arguments[i], &counts), &counts, arguments[i]);
        code = one != DONE ? one : code;
    }
    if (number < 2) {
        struct counts counts = {0};
        code = report(count(WASI_STDIN, &counts), &counts, 0);
    }
    wasi_proc_exit(code);
}

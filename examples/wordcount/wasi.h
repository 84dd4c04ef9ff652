/* The part of WASI preview 1 that a program needs, declared by hand: no C library is needed. */
#ifndef WASI_H
#define WASI_H
#include <stdint.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

/* The standard streams, and the first folder that a host opens for its guest. */
enum { WASI_STDIN = 0, WASI_STDOUT = 1, WASI_STDERR = 2, WASI_FOLDER = 3 };
enum { WASI_SUCCESS = 0 };
enum { WASI_RIGHT_READ = 1 << 1 };

struct wasi_buffer {
    uint8_t *bytes;
    uint32_t length;
};

/* All of them return an errno, 0 for success. */
WASI(args_sizes_get) int32_t wasi_args_sizes_get(uint32_t *count, uint32_t *length);
WASI(args_get) int32_t wasi_args_get(char **arguments, char *text);
WASI(path_open)
int32_t wasi_path_open(int32_t folder, uint32_t lookup_flags, const char *path,
                       uint32_t path_length, uint32_t open_flags, uint64_t rights,
                       uint64_t inherited_rights, uint32_t file_flags, int32_t *file);
WASI(fd_read)
int32_t wasi_fd_read(int32_t file, const struct wasi_buffer *buffers, uint32_t count,
                     uint32_t *length);
WASI(fd_write)
int32_t wasi_fd_write(int32_t file, const struct wasi_buffer *buffers, uint32_t count,
                      uint32_t *length);
WASI(fd_close) int32_t wasi_fd_close(int32_t file);
WASI(proc_exit) _Noreturn void wasi_proc_exit(uint32_t code);

#endif

/* The part of WASI preview 1 that works on files, declared by hand: no C library is needed. */
#ifndef WASI_H
#define WASI_H
#include <stdint.h>

#define WASI(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name)))

/* The first folder that a host opens for its guest. */
enum { WASI_FOLDER = 3 };
enum { WASI_SUCCESS = 0 };
enum { WASI_OPEN_CREATE = 1, WASI_OPEN_TRUNCATE = 8 };
enum { WASI_RIGHT_READ = 1 << 1, WASI_RIGHT_WRITE = 1 << 6, WASI_RIGHT_FILESTAT = 1 << 21 };

struct wasi_buffer {
    uint8_t *bytes;
    uint32_t length;
};

struct wasi_filestat {
    uint64_t device, inode;
    uint8_t type;
    uint64_t links, size, accessed, modified, changed;
};
_Static_assert(sizeof(struct wasi_filestat) == 64, "the layout is WASI's");

/* All of them return an errno, 0 for success. */
WASI(path_open)
int32_t wasi_path_open(int32_t folder, uint32_t lookup_flags, const char *path,
                       uint32_t path_length, uint32_t open_flags, uint64_t rights,
                       uint64_t inherited_rights, uint32_t file_flags, int32_t *file);
WASI(path_unlink_file)
int32_t wasi_path_unlink_file(int32_t folder, const char *path, uint32_t path_length);
WASI(fd_filestat_get) int32_t wasi_fd_filestat_get(int32_t file, struct wasi_filestat *filestat);
WASI(fd_read)
int32_t wasi_fd_read(int32_t file, const struct wasi_buffer *buffers, uint32_t count,
                     uint32_t *length);
WASI(fd_write)
int32_t wasi_fd_write(int32_t file, const struct wasi_buffer *buffers, uint32_t count,
                      uint32_t *length);
WASI(fd_close) int32_t wasi_fd_close(int32_t file);

#endif

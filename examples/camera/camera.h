/* What the host offers to modules for pictures. */
#ifndef CAMERA_H
#define CAMERA_H
#include <stdint.h>

#define CAMERA(name) __attribute__((import_module("camera"), import_name(#name)))

/* Takes a picture as JPEG into memory from our export `alloc`, and stores where it is and its size. */
CAMERA(takeImageDynamicSize) void camera_take_image(uint8_t **picture, uint32_t *size);

#endif

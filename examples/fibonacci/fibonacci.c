/* Fibonacci numbers, counted from fibo(0) = fibo(1) = 1. */
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* Right up to fibo(91); beyond, the sum wraps around at 64 bits, hence unsigned. */
EXPORT(fibo) int64_t fibo(int64_t iterations) {
    uint64_t previous = 1, current = 1;
    for (int64_t i = 1; i < iterations; i++) {
        uint64_t next = previous + current;
        previous = current;
        current = next;
    }
    return (int64_t)current;
}

/* The same numbers the slow way: the work grows as fast as the numbers do. */
EXPORT(fibo_recursive) int64_t fibo_recursive(int64_t iterations) {
    if (iterations < 2) {
        return 1;
    }
    return (int64_t)((uint64_t)fibo_recursive(iterations - 1) +
                     (uint64_t)fibo_recursive(iterations - 2));
}

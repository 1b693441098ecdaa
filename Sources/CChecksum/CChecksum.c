// CRC-32C by the processor's own instruction, which Swift can't reach.

#include "CChecksum.h"

#if defined(__x86_64__)

#include <string.h>

__attribute__((target("sse4.2"), always_inline))
static inline uint64_t eight(uint64_t crc, const unsigned char *bytes) {
    uint64_t eight;
    memcpy(&eight, bytes, 8);
    return __builtin_ia32_crc32di(crc, eight);
}

// A line of the log has some dozen bytes: what is left of the count says by its bits what is left to do.
__attribute__((target("sse4.2")))
uint32_t cchecksum_crc32c(uint32_t start, const void *first, size_t count) {
    const unsigned char *bytes = first;
    uint64_t crc = start;
#pragma clang loop unroll(disable)
    for (const unsigned char *end = bytes + (count & ~(size_t)31); bytes < end; bytes += 32) {
        crc = eight(crc, bytes);
        crc = eight(crc, bytes + 8);
        crc = eight(crc, bytes + 16);
        crc = eight(crc, bytes + 24);
    }
    if (count & 16) {
        crc = eight(crc, bytes);
        crc = eight(crc, bytes + 8);
        bytes += 16;
    }
    if (count & 8) {
        crc = eight(crc, bytes);
        bytes += 8;
    }
    if (count & 4) {
        uint32_t four;
        memcpy(&four, bytes, 4);
        crc = __builtin_ia32_crc32si((uint32_t)crc, four);
        bytes += 4;
    }
    if (count & 2) {
        uint16_t two;
        memcpy(&two, bytes, 2);
        crc = __builtin_ia32_crc32hi((uint32_t)crc, two);
        bytes += 2;
    }
    if (count & 1) crc = __builtin_ia32_crc32qi((uint32_t)crc, *bytes);
    return (uint32_t)crc;
}

#else

uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t count) {
    (void)crc;
    (void)bytes;
    (void)count;
    __builtin_trap();
}

#endif

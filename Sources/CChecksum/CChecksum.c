// CRC-32C by the processor's own instruction, which Swift can't reach.

#include "CChecksum.h"

#if defined(__x86_64__)

#include <string.h>

__attribute__((target("sse4.2")))
static uint32_t run(uint32_t start, const unsigned char *bytes, size_t count) {
    uint64_t crc = start;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t eight;
        memcpy(&eight, bytes, 8);
        crc = __builtin_ia32_crc32di(crc, eight);
    }
    if (count >= 4) {
        uint32_t four;
        memcpy(&four, bytes, 4);
        crc = __builtin_ia32_crc32si((uint32_t)crc, four);
        bytes += 4;
        count -= 4;
    }
    if (count >= 2) {
        uint16_t two;
        memcpy(&two, bytes, 2);
        crc = __builtin_ia32_crc32hi((uint32_t)crc, two);
        bytes += 2;
        count -= 2;
    }
    if (count > 0) crc = __builtin_ia32_crc32qi((uint32_t)crc, *bytes);
    return (uint32_t)crc;
}

bool cchecksum_crc32c(const void *bytes, size_t count, uint32_t *crc) {
    if (!__builtin_cpu_supports("sse4.2")) return false;
    *crc = run(*crc, bytes, count);
    return true;
}

#else

bool cchecksum_crc32c(const void *bytes, size_t count, uint32_t *crc) {
    (void)bytes;
    (void)count;
    (void)crc;
    return false;
}

#endif

// CRC-32C by the processor's own instruction, which Swift can't reach.

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether the processor has such an instruction: an x86-64 with SSE4.2.
static inline bool cchecksum_has_crc32c(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2");
#else
    return false;
#endif
}

/// Goes on with a CRC-32C, as it is before its bits are inverted at the end, over `count` more bytes. To be
/// called only where the processor has the instruction.
uint32_t cchecksum_crc32c(uint32_t crc, const void *bytes, size_t count);

#endif

// CRC-32C by the processor's own instruction, which Swift can't reach.

#ifndef CCHECKSUM_H
#define CCHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Goes on with a CRC-32C, as it is before its bits are inverted at the end, over `count` more bytes.
///
/// - Returns: false where the processor has no such instruction, or is no x86-64; then nothing was done.
bool cchecksum_crc32c(const void *bytes, size_t count, uint32_t *crc);

#endif

// Latencies counted in buckets whose width grows with them, so that any share is known to two per cent.

#include "load.h"

static unsigned bucket(uint64_t value) {
    if (value < 64) return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    return (power - 5) * 64 + (unsigned)(value >> (power - 6) & 63);
}

static uint64_t upper_end(unsigned bucket) {
    if (bucket < 64) return bucket;
    unsigned power = bucket / 64 + 5;
    return ((uint64_t)(bucket % 64) + 64 + 1) << (power - 6);
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->counts[bucket(nanoseconds)]++;
    histogram->total++;
    if (nanoseconds > histogram->longest) histogram->longest = nanoseconds;
}

uint64_t histogram_at(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total);
    uint64_t seen = 0;
    for (unsigned at = 0; at < 64 * 64; at++) {
        seen += histogram->counts[at];
        if (seen > wanted) return upper_end(at) < histogram->longest ? upper_end(at) : histogram->longest;
    }
    return histogram->longest;
}

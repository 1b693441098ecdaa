// What the parts of the load generator share: a slot is one client's loop of take, give back, take again.

#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

// One loop that always has one request under way.
struct slot {
    uint32_t number;
    // Whether the next request gives back what the last one took.
    int holds;
    // What the server named it; 0 where it names nothing.
    uint64_t token;
};

// How one kind of server is spoken to. Texts go out without copying what does not change.
struct protocol {
    const char *name;
    // What is said first on a connection, and waited for; NULL: nothing.
    void (*greet)(int descriptor);
    // Writes the request and says how long it is.
    size_t (*take)(char *to, const struct slot *slot);
    size_t (*give)(char *to, const struct slot *slot);
    // Reads one answer. Says how many bytes it has, 0 if it is not complete; -1 if it is no success.
    long (*answer)(const char *from, size_t length, struct slot *slot);
};

// The longest request of any protocol.
#define REQUEST_BYTES_MAX 512

// Says what the system can't do, and ends the program.
void fail(const char *what);
// Nanoseconds of a clock that nobody sets.
uint64_t now(void);
// A connection to a path, or to a port of this machine.
int connect_to(const char *address);
// Many connections that ask one question and count the lines that come.
int watch(const char *path, int count, const char *question, double seconds);

// PostgreSQL's, whose messages are no lines.
extern const struct protocol postgres_protocol;

const struct protocol *protocol_named(const char *name);

// Latencies in buckets of 1/64 of a power of two.
struct histogram {
    uint64_t counts[64 * 64];
    uint64_t total, longest;
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif

// The least of a lock server: what each line of the load needs done, in the answers and the log of leased.
//
// A key is taken by one, under a token and until a deadline; it is given back by its token; what is due ends;
// each of these is a record with a checksum. That is all: one ttl, no line to wait in, no policy, no watches,
// no accounts, no bounds of anybody's, and no second look at what was sent. So it is no lock server that
// anybody could use, but what it takes beside the floor is what none can do without.

#define _GNU_SOURCE
#include "leases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "CChecksum.h"

#define LEASES_MAX (1u << 14)
#define PLACE_BITS 15
#define PLACES (1u << PLACE_BITS)
#define KEY_BYTES_MAX 39
#define NONE UINT32_MAX

struct lease {
    uint64_t token, until, since;
    uint32_t previous, next, hash;
    unsigned char key_length;
    char key[KEY_BYTES_MAX];
};

static struct lease *leases;
// Places of leases, by what the key hashes to and by token: where one is taken, the next free one behind it.
static uint32_t *by_key, *by_token;
// Those that are not in use, and those that are, in the order in which they end.
static uint32_t first_free, first_due = NONE, last_due = NONE;
static uint64_t now, last_token, last_change, only_ttl;
// " SEQ" comes between the checksum and this: the instant, as each record of this wake-up has it.
static char instant[32];
static size_t instant_length;
static char tail[64];
static size_t tail_length;

void leases_begin(void) {
    if (!cchecksum_has_crc32c()) {
        fprintf(stderr, "bench-floor: leases needs a processor that computes CRC-32C\n");
        exit(69);
    }
    leases = malloc(LEASES_MAX * sizeof *leases);
    by_key = malloc(PLACES * sizeof *by_key);
    by_token = malloc(PLACES * sizeof *by_token);
    memset(by_key, 0xff, PLACES * sizeof *by_key);
    memset(by_token, 0xff, PLACES * sizeof *by_token);
    for (uint32_t at = 0; at < LEASES_MAX; at++) leases[at].next = at + 1;
    leases[LEASES_MAX - 1].next = NONE;
    tail_length = (size_t)snprintf(tail, sizeof tail, " uid=%u pid=%d ttl=", getuid(), getpid());
}

// MARK: text

static char *put(char *to, const char *text, size_t length) {
    memcpy(to, text, length);
    return to + length;
}

#define PUT(to, literal) put(to, literal, sizeof literal - 1)

static char *put_number(char *to, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do digits[--at] = (char)('0' + number % 10);
    while (number /= 10);
    return put(to, digits + at, sizeof digits - at);
}

static int read_number(const char **at, const char *end, uint64_t *number) {
    const char *start = *at;
    for (*number = 0; *at < end && **at >= '0' && **at <= '9'; ++*at)
        *number = *number * 10 + (uint64_t)(**at - '0');
    return *at > start && *at - start < 19;
}

// MARK: records

static char *begin_record(char *to) {
    to = put_number(to + 9, ++last_change);
    return put(to, instant, instant_length);
}

// Its checksum goes before what it is of.
static char *end_record(char *start, char *end) {
    uint32_t crc = ~cchecksum_crc32c(UINT32_MAX, start + 9, (size_t)(end - start) - 9);
    for (int digit = 0; digit < 8; digit++) start[digit] = "0123456789abcdef"[crc >> (28 - 4 * digit) & 15];
    start[8] = ' ';
    *end = '\n';
    return end + 1;
}

// MARK: tables

// Tokens come one after the other: side by side they would be one long row, to be walked at each end.
static uint32_t place_of_token(uint64_t token) {
    return (uint32_t)(token * 0x9e3779b97f4a7c15u >> (64 - PLACE_BITS));
}

static uint32_t home(const uint32_t *table, uint32_t lease) {
    return table == by_key ? leases[lease].hash & (PLACES - 1) : place_of_token(leases[lease].token);
}

static void insert(uint32_t *table, uint32_t lease) {
    uint32_t place = home(table, lease);
    while (table[place] != NONE) place = (place + 1) & (PLACES - 1);
    table[place] = lease;
}

// What stands behind it, and would be found no more, moves up.
static void take_out(uint32_t *table, uint32_t lease) {
    uint32_t place = home(table, lease);
    while (table[place] != lease) place = (place + 1) & (PLACES - 1);
    for (uint32_t next = place;;) {
        next = (next + 1) & (PLACES - 1);
        if (table[next] == NONE) break;
        uint32_t from = home(table, table[next]);
        if (((next - from) & (PLACES - 1)) < ((next - place) & (PLACES - 1))) continue;
        table[place] = table[next];
        place = next;
    }
    table[place] = NONE;
}

static uint32_t find_key(const char *key, size_t length, uint32_t hash) {
    for (uint32_t place = hash & (PLACES - 1); by_key[place] != NONE; place = (place + 1) & (PLACES - 1)) {
        const struct lease *lease = &leases[by_key[place]];
        if (lease->hash == hash && lease->key_length == length && memcmp(lease->key, key, length) == 0)
            return by_key[place];
    }
    return NONE;
}

static uint32_t find_token(uint64_t token) {
    uint32_t place = place_of_token(token);
    for (; by_token[place] != NONE; place = (place + 1) & (PLACES - 1))
        if (leases[by_token[place]].token == token) return by_token[place];
    return NONE;
}

// MARK: leases

static void let_go(uint32_t at) {
    struct lease *lease = &leases[at];
    take_out(by_key, at);
    take_out(by_token, at);
    if (lease->previous == NONE) first_due = lease->next; else leases[lease->previous].next = lease->next;
    if (lease->next == NONE) last_due = lease->previous; else leases[lease->next].previous = lease->previous;
    lease->next = first_free;
    first_free = at;
}

static char *record_end(char *record, const char *word, size_t length, uint64_t token) {
    char *to = put(begin_record(record), word, length);
    return end_record(record, put_number(PUT(to, " token="), token));
}

size_t leases_tick(char *records, size_t room) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    now = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    instant_length = (size_t)snprintf(instant, sizeof instant, " %ld.%09ld ", time.tv_sec, time.tv_nsec);
    char *to = records;
    while (first_due != NONE && leases[first_due].until <= now && room - (size_t)(to - records) >= 96) {
        to = record_end(to, "expired", 7, leases[first_due].token);
        let_go(first_due);
    }
    return (size_t)(to - records);
}

// `acquire KEY ttl=Ns owner=OWNER`.
static int acquire(const char *at, const char *end, char **answer, char **record) {
    const char *key = at;
    while (at < end && *at != ' ') at++;
    size_t length = (size_t)(at - key);
    uint64_t seconds;
    if (length == 0 || length > KEY_BYTES_MAX || end - at < 5 || memcmp(at, " ttl=", 5) != 0) return 0;
    at += 5;
    if (!read_number(&at, end, &seconds) || end - at < 8 || memcmp(at, "s owner=", 8) != 0) return 0;
    at += 8;
    if (end - at > 32 || (only_ttl != 0 && only_ttl != seconds)) return 0;
    only_ttl = seconds;
    uint32_t hash = cchecksum_crc32c(0, key, length);
    uint32_t found = find_key(key, length, hash), slot = first_free;
    if (found != NONE || slot == NONE) {
        *answer = PUT(*answer, "BUSY held\n");
        return 1;
    }
    struct lease *lease = &leases[slot];
    first_free = lease->next;
    *lease = (struct lease){
        .token = ++last_token, .since = now, .until = now + seconds * 1000000000u, .previous = last_due,
        .next = NONE, .hash = hash, .key_length = (unsigned char)length,
    };
    memcpy(lease->key, key, length);
    if (last_due == NONE) first_due = slot; else leases[last_due].next = slot;
    last_due = slot;
    insert(by_key, slot);
    insert(by_token, slot);

    char *to = put_number(PUT(begin_record(*record), "granted token="), lease->token);
    to = put(PUT(to, " key="), key, length);
    to = put(PUT(to, " owner="), at, (size_t)(end - at));
    to = PUT(put_number(put(to, tail, tail_length), seconds * 1000), "ms");
    *record = end_record(*record, to);
    to = PUT(put_number(PUT(*answer, "OK token="), lease->token), " ttl=");
    *answer = PUT(put_number(to, seconds * 1000), "ms\n");
    return 1;
}

// `release TOKEN`.
static int release(const char *at, const char *end, char **answer, char **record) {
    uint64_t token;
    if (!read_number(&at, end, &token) || at != end) return 0;
    uint32_t slot = find_token(token);
    if (slot == NONE) {
        *answer = PUT(*answer, "GONE\n");
        return 1;
    }
    uint64_t held = (now - leases[slot].since) / 1000000;
    let_go(slot);
    *record = record_end(*record, "released", 8, token);
    char *to = PUT(put_number(PUT(*answer, "OK token="), token), " held=");
    *answer = PUT(put_number(to, held), "ms\n");
    return 1;
}

void leases_line(const char *line, size_t length, char **answer, char **record) {
    const char *end = line + length;
    if (length > 8 && memcmp(line, "acquire ", 8) == 0 && acquire(line + 8, end, answer, record)) return;
    if (length > 8 && memcmp(line, "release ", 8) == 0 && release(line + 8, end, answer, record)) return;
    *answer = PUT(*answer, "ERR syntax\n");
}

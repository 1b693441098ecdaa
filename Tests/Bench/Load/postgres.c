// PostgreSQL's words: its simple queries, each a statement and a transaction.

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static uint32_t number32(const char *from) {
    uint32_t number;
    memcpy(&number, from, sizeof number);
    return ntohl(number);
}

static void put32(char *to, uint32_t number) {
    number = htonl(number);
    memcpy(to, &number, sizeof number);
}

static void read_all(int descriptor, char *to, size_t length) {
    for (size_t got = 0; got < length;) {
        ssize_t count = read(descriptor, to + got, length - got);
        if (count <= 0) fail("greeting PostgreSQL");
        got += (size_t)count;
    }
}

// Says who we are, and reads until it is ready for a query.
static void greet_postgres(int descriptor) {
    static const char words[] = "user\0bench\0database\0postgres\0";
    char hello[8 + sizeof words], head[5], rest[4096];
    put32(hello, sizeof hello);
    put32(hello + 4, 3 << 16);
    memcpy(hello + 8, words, sizeof words);
    if (write(descriptor, hello, sizeof hello) != sizeof hello) fail("greeting PostgreSQL");
    do {
        read_all(descriptor, head, sizeof head);
        uint32_t length = number32(head + 1) - 4;
        if (length > sizeof rest || head[0] == 'E') fail("PostgreSQL refuses us");
        read_all(descriptor, rest, length);
    } while (head[0] != 'Z');
}

static size_t query(char *to, int length) {
    to[0] = 'Q';
    put32(to + 1, (uint32_t)length + 5);
    return (size_t)length + 6;
}

// One that is over may be taken from whoever has it.
static size_t postgres_take(char *to, const struct slot *slot) {
    return query(to, snprintf(
        to + 5, REQUEST_BYTES_MAX - 5,
        "INSERT INTO leases VALUES ('user/%u','bench',now()+'30 s') ON CONFLICT (key) DO UPDATE "
        "SET owner='bench',until=now()+'30 s' WHERE leases.until<now()", slot->number));
}

static size_t postgres_give(char *to, const struct slot *slot) {
    return query(to, snprintf(
        to + 5, REQUEST_BYTES_MAX - 5, "DELETE FROM leases WHERE key='user/%u' AND owner='bench'",
        slot->number));
}

static long postgres_answer(const char *from, size_t length, struct slot *slot) {
    const char *wanted = slot->holds ? "DELETE 1" : "INSERT 0 1";
    int is_done = 0;
    size_t at = 0;
    while (at + 5 <= length) {
        size_t message = 1 + number32(from + at + 1);
        if (at + message > length) return 0;
        if (from[at] == 'C') is_done = strcmp(from + at + 5, wanted) == 0;
        if (from[at] == 'Z') return is_done ? (long)(at + message) : -1;
        at += message;
    }
    return 0;
}

const struct protocol postgres_protocol = {
    "postgres", greet_postgres, postgres_take, postgres_give, postgres_answer};

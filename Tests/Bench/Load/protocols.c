// The words of each server: how a name is taken, how it is given back, and what success looks like.

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

static const char *end_of_line(const char *from, size_t length) {
    return memchr(from, '\n', length);
}

static size_t append_number(char *to, uint64_t number) {
    char digits[20];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10); while (number /= 10);
    for (size_t at = 0; at < count; at++) to[at] = digits[count - 1 - at];
    return count;
}

// Text, a number, text.
static size_t join(char *to, const char *before, uint64_t number, const char *after) {
    size_t length = strlen(before);
    memcpy(to, before, length);
    length += append_number(to + length, number);
    size_t rest = strlen(after);
    memcpy(to + length, after, rest);
    return length + rest;
}

static uint64_t number_at(const char *from) {
    uint64_t number = 0;
    for (; *from >= '0' && *from <= '9'; from++) number = number * 10 + (uint64_t)(*from - '0');
    return number;
}

// leased, and the floor, which answers every line with the same one.

static size_t leased_take(char *to, const struct slot *slot) {
    return join(to, "acquire user/", slot->number, " ttl=30s owner=bench\n");
}

static size_t leased_give(char *to, const struct slot *slot) {
    return join(to, "release ", slot->token, "\n");
}

static long leased_answer(const char *from, size_t length, struct slot *slot) {
    const char *end = end_of_line(from, length);
    if (!end) return 0;
    if (memcmp(from, "OK token=", 9) != 0) return -1;
    slot->token = number_at(from + 9);
    return end + 1 - from;
}

// Redis: a script compares before it deletes, as everybody who locks with Redis has to.

#define REDIS_SCRIPT \
    "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end"
// The SHA-1 of the script, by which it is called once it is loaded.
#define REDIS_SHA "b998f9dfb154cdbea8cda65ad5177aadf0e945a2"

static void redis_greet(int descriptor) {
    static const char load[] = "*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n$93\r\n" REDIS_SCRIPT "\r\n";
    if (write(descriptor, load, sizeof load - 1) != sizeof load - 1) fail("loading the script");
    for (int lines = 0; lines < 2;) {
        char byte;
        if (read(descriptor, &byte, 1) != 1) fail("loading the script");
        if (byte == '\n') lines++;
    }
}

static size_t redis_key(char *key, const struct slot *slot) {
    return join(key, "user/", slot->number, "");
}

static size_t redis_words(char *to, const char *const *words, size_t count) {
    size_t at = join(to, "*", count, "\r\n");
    for (size_t word = 0; word < count; word++) {
        at += join(to + at, "$", strlen(words[word]), "\r\n");
        size_t length = strlen(words[word]);
        memcpy(to + at, words[word], length);
        memcpy(to + at + length, "\r\n", 2);
        at += length + 2;
    }
    return at;
}

static size_t redis_take(char *to, const struct slot *slot) {
    char key[32] = {0};
    redis_key(key, slot);
    const char *words[] = {"SET", key, "bench-value", "NX", "PX", "30000"};
    return redis_words(to, words, 6);
}

static size_t redis_give(char *to, const struct slot *slot) {
    char key[32] = {0};
    redis_key(key, slot);
    const char *words[] = {"EVALSHA", REDIS_SHA, "1", key, "bench-value"};
    return redis_words(to, words, 5);
}

static long redis_answer(const char *from, size_t length, struct slot *slot) {
    const char *end = end_of_line(from, length);
    if (!end) return 0;
    if (slot->holds ? memcmp(from, ":1\r\n", 4) != 0 : memcmp(from, "+OK\r\n", 5) != 0) return -1;
    return end + 1 - from;
}

// memcached: whoever adds has it, and nobody else is asked before it is deleted.

static size_t memcached_take(char *to, const struct slot *slot) {
    return join(to, "add user/", slot->number, " 0 30 5\r\nbench\r\n");
}

static size_t memcached_give(char *to, const struct slot *slot) {
    return join(to, "delete user/", slot->number, "\r\n");
}

static long memcached_answer(const char *from, size_t length, struct slot *slot) {
    const char *end = end_of_line(from, length);
    if (!end) return 0;
    if (memcmp(from, slot->holds ? "DELETED" : "STORED\r", 7) != 0) return -1;
    return end + 1 - from;
}

// beanstalkd: a job is put and deleted, which is no lock, but the same work for a log.

static size_t beanstalkd_take(char *to, const struct slot *slot) {
    return join(to, "put 0 0 30 20\r\nuser/", slot->number % 1000 + 1000, "-----------\r\n");
}

static size_t beanstalkd_give(char *to, const struct slot *slot) {
    return join(to, "delete ", slot->token, "\r\n");
}

static long beanstalkd_answer(const char *from, size_t length, struct slot *slot) {
    const char *end = end_of_line(from, length);
    if (!end) return 0;
    if (slot->holds) return memcmp(from, "DELETED", 7) == 0 ? end + 1 - from : -1;
    if (memcmp(from, "INSERTED ", 9) != 0) return -1;
    slot->token = number_at(from + 9);
    return end + 1 - from;
}

// etcd through its JSON gateway: a key that must not exist yet is put, and deleted.

static size_t base64(char *to, const char *from, size_t length) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t count = 0;
    for (size_t at = 0; at < length; at += 3) {
        unsigned bits = (unsigned)(unsigned char)from[at] << 16;
        if (at + 1 < length) bits |= (unsigned)(unsigned char)from[at + 1] << 8;
        if (at + 2 < length) bits |= (unsigned)(unsigned char)from[at + 2];
        to[count++] = digits[bits >> 18 & 63];
        to[count++] = digits[bits >> 12 & 63];
        to[count++] = at + 1 < length ? digits[bits >> 6 & 63] : '=';
        to[count++] = at + 2 < length ? digits[bits & 63] : '=';
    }
    to[count] = 0;
    return count;
}

static size_t etcd_post(char *to, const char *path, const char *body) {
    return (size_t)snprintf(
        to, REQUEST_BYTES_MAX, "POST %s HTTP/1.1\r\nHost: e\r\nContent-Length: %zu\r\n\r\n%s", path,
        strlen(body), body);
}

static void etcd_key(char *to, const struct slot *slot) {
    char name[32];
    base64(to, name, join(name, "user/", slot->number, ""));
}

static size_t etcd_take(char *to, const struct slot *slot) {
    char key[64], body[300];
    etcd_key(key, slot);
    snprintf(
        body, sizeof body,
        "{\"compare\":[{\"key\":\"%s\",\"target\":\"CREATE\",\"createRevision\":0}],"
        "\"success\":[{\"requestPut\":{\"key\":\"%s\",\"value\":\"YmVuY2g=\"}}]}",
        key, key);
    return etcd_post(to, "/v3/kv/txn", body);
}

static size_t etcd_give(char *to, const struct slot *slot) {
    char key[64], body[100];
    etcd_key(key, slot);
    snprintf(body, sizeof body, "{\"key\":\"%s\"}", key);
    return etcd_post(to, "/v3/kv/deleterange", body);
}

static long etcd_answer(const char *from, size_t length, struct slot *slot) {
    const char *head_end = memmem(from, length, "\r\n\r\n", 4);
    if (!head_end) return 0;
    size_t head = (size_t)(head_end + 4 - from);
    const char *size = memmem(from, head, "Content-Length: ", 16);
    if (!size) return -1;
    size_t whole = head + number_at(size + 16);
    if (whole > length) return 0;
    const char *wanted = slot->holds ? "\"deleted\":\"1\"" : "\"succeeded\":true";
    return memmem(from + head, whole - head, wanted, strlen(wanted)) ? (long)whole : -1;
}

static const struct protocol protocols[] = {
    {"leased", NULL, leased_take, leased_give, leased_answer},
    {"redis", redis_greet, redis_take, redis_give, redis_answer},
    {"memcached", NULL, memcached_take, memcached_give, memcached_answer},
    {"beanstalkd", NULL, beanstalkd_take, beanstalkd_give, beanstalkd_answer},
    {"etcd", NULL, etcd_take, etcd_give, etcd_answer},
};

const struct protocol *protocol_named(const char *name) {
    for (size_t at = 0; at < sizeof protocols / sizeof *protocols; at++) {
        if (strcmp(protocols[at].name, name) == 0) return &protocols[at];
    }
    return strcmp(name, postgres_protocol.name) == 0 ? &postgres_protocol : NULL;
}

// The floor under every such server: one loop that answers a fixed line to each line, and appends 64 bytes
// for each to a file with one write a wake-up. No server that promises the same can be faster
// by doing less. With `leases` it does for each line what no lock server can do without (see leases.c).

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "leases.h"

#define CONNECTIONS_MAX 16384
#define RECORD_BYTES 64

struct answerer {
    int descriptor;
    // Lines that came with this wake-up.
    size_t lines;
    // What it is to be sent of `answers`, with `leases`.
    size_t answers_start, answers_bytes;
    // Whether it hears of the others' lines.
    int watches;
};

static const char reply[] = "OK token=1234567 ttl=30000ms\n";
static char input[256 << 10], *output, *records;
static size_t output_room, record_room;
// With `leases`: the answers and the records of this wake-up.
static int has_leases;
static char *answers, *lease_records;
static size_t answers_length, answers_room, lease_records_length, lease_records_room;

static void fail(const char *what) {
    fprintf(stderr, "bench-floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int listen_at(const char *path) {
    struct sockaddr_un here = {.sun_family = AF_UNIX};
    snprintf(here.sun_path, sizeof here.sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(descriptor, (struct sockaddr *)&here, sizeof here) != 0) fail("bind");
    if (listen(descriptor, 4096) != 0) fail("listen");
    return descriptor;
}

static void add(int poller, int descriptor, struct answerer *answerer) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = answerer};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll");
}

static void accept_all(int poller, int listener) {
    int descriptor;
    while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct answerer *answerer = calloc(1, sizeof *answerer);
        answerer->descriptor = descriptor;
        add(poller, descriptor, answerer);
    }
}

// Grows a buffer of equal pieces to the count that is needed.
static char *with_room(char *buffer, size_t *room, size_t count, const char *piece, size_t bytes) {
    if (count <= *room) return buffer;
    buffer = realloc(buffer, 2 * count * bytes);
    for (; *room < 2 * count; (*room)++) memcpy(buffer + *room * bytes, piece, bytes);
    return buffer;
}

static char *grown(char *buffer, size_t *room, size_t needed) {
    if (needed <= *room) return buffer;
    *room = 2 * needed;
    return realloc(buffer, *room);
}

// Carries out what came of one connection. The load sends a few lines at a time, and each time whole ones.
static void carry_out(struct answerer *answerer, size_t count) {
    if (count > 0 && input[count - 1] != '\n') fail("half a line");
    size_t lines = answerer->lines;
    answers = grown(answers, &answers_room, answers_length + lines * ANSWER_BYTES_MAX);
    lease_records =
        grown(lease_records, &lease_records_room, lease_records_length + lines * LEASE_RECORD_BYTES_MAX);
    char *answer = answers + answers_length, *record = lease_records + lease_records_length;
    char *line = input, *end;
    while ((end = memchr(line, '\n', (size_t)(input + count - line)))) {
        leases_line(line, (size_t)(end - line), &answer, &record);
        line = end + 1;
    }
    answerer->answers_start = answers_length;
    answerer->answers_bytes = (size_t)(answer - answers) - answers_length;
    answers_length += answerer->answers_bytes;
    lease_records_length = (size_t)(record - lease_records);
}

static void end_what_is_due(void) {
    answers_length = 0;
    lease_records = grown(lease_records, &lease_records_room, 64 << 10);
    lease_records_length = leases_tick(lease_records, lease_records_room);
}

static size_t read_lines(struct answerer *answerer) {
    ssize_t count = recv(answerer->descriptor, input, sizeof input, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        close(answerer->descriptor);
        free(answerer);
        return 0;
    }
    size_t lines = 0;
    for (char *at = input; count > 0 && (at = memchr(at, '\n', (size_t)(input + count - at))); at++) lines++;
    answerer->lines = lines;
    if (has_leases) carry_out(answerer, count > 0 ? (size_t)count : 0);
    answerer->watches = answerer->watches || (count > 5 && memcmp(input, "watch", 5) == 0);
    return lines;
}

static void answer(struct answerer *answerer) {
    size_t bytes = answerer->lines * (sizeof reply - 1);
    if (has_leases) bytes = answerer->answers_bytes;
    else output = with_room(output, &output_room, answerer->lines, reply, sizeof reply - 1);
    const char *start = has_leases ? answers + answerer->answers_start : output;
    size_t sent = 0;
    while (sent < bytes) {
        ssize_t count = send(answerer->descriptor, start + sent, bytes - sent, MSG_NOSIGNAL);
        if (count < 0 && errno != EAGAIN) return;
        if (count > 0) sent += (size_t)count;
    }
}

// Tells each of those who watch of each line, with a write for each.
static void tell(struct answerer *const *watchers, size_t count, size_t lines) {
    static const char event[] =
        "* seq=1234567 granted key=user/p123 token=1234567 owner=bench:12345 pid=12345 uid=0 ttl=3600000ms\n";
    for (size_t line = 0; line < lines; line++) {
        for (size_t at = 0; at < count; at++) {
            while (send(watchers[at]->descriptor, event, sizeof event - 1, MSG_NOSIGNAL) < 0) {
                struct pollfd look = {.fd = watchers[at]->descriptor, .events = POLLOUT};
                if (errno != EAGAIN || poll(&look, 1, 1000) != 1) return;
            }
        }
    }
}

static void append(int file, size_t lines, int syncs) {
    static const char record[RECORD_BYTES] = "a record of sixty-four bytes, as long as a lease in the log is";
    if (!has_leases) records = with_room(records, &record_room, lines, record, RECORD_BYTES);
    size_t bytes = has_leases ? lease_records_length : lines * RECORD_BYTES;
    if (write(file, has_leases ? lease_records : records, bytes) < 0) fail("write");
    if (syncs && fdatasync(file) != 0) fail("fdatasync");
}

int main(int count, char **words) {
    has_leases = count == 5 && strcmp(words[4], "leases") == 0;
    if (count != 4 && !has_leases) {
        fprintf(stderr, "usage: bench-floor SOCKET FILE always|never [leases]\n");
        return 64;
    }
    if (has_leases) leases_begin();
    int syncs = strcmp(words[3], "always") == 0;
    int listener = listen_at(words[1]), poller = epoll_create1(0);
    int file = open(words[2], O_WRONLY | O_CREAT | O_APPEND | O_TRUNC, 0600);
    if (file < 0) fail("open");
    add(poller, listener, NULL);
    static struct answerer *asked[CONNECTIONS_MAX];
    static struct answerer *watchers[CONNECTIONS_MAX];
    size_t watching = 0;
    static struct epoll_event events[CONNECTIONS_MAX];
    for (;;) {
        int ready = epoll_wait(poller, events, CONNECTIONS_MAX, -1);
        size_t lines = 0;
        int waiting = 0;
        if (has_leases) end_what_is_due();
        for (int at = 0; at < ready; at++) {
            struct answerer *answerer = events[at].data.ptr;
            if (!answerer) {
                accept_all(poller, listener);
                continue;
            }
            size_t new_lines = read_lines(answerer);
            lines += new_lines;
            if (new_lines > 0) asked[waiting++] = answerer;
        }
        if (lines > 0 || (has_leases && lease_records_length > 0)) append(file, lines, syncs);
        size_t events_due = 0;
        for (int at = 0; at < waiting; at++) {
            answer(asked[at]);
            if (asked[at]->watches) watchers[watching++] = asked[at];
            else events_due += asked[at]->lines;
        }
        if (watching > 0) tell(watchers, watching, events_due);
    }
}

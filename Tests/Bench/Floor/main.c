// The floor under every such server: one loop that answers a fixed line to each line, and appends 64 bytes
// for each to a file with one write a wake-up. No server that promises the same can be faster
// by doing less.

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

#define CONNECTIONS_MAX 16384
#define RECORD_BYTES 64

struct answerer {
    int descriptor;
    // Lines that came with this wake-up.
    size_t lines;
    // Whether it hears of the others' lines.
    int watches;
};

static const char reply[] = "OK token=1234567 ttl=30000ms\n";
static char input[256 << 10], *output, *records;
static size_t output_room, record_room;

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
    answerer->watches = answerer->watches || (count > 5 && memcmp(input, "watch", 5) == 0);
    return lines;
}

static void answer(struct answerer *answerer) {
    size_t bytes = sizeof reply - 1;
    output = with_room(output, &output_room, answerer->lines, reply, bytes);
    size_t sent = 0;
    while (sent < answerer->lines * bytes) {
        size_t left = answerer->lines * bytes - sent;
        ssize_t count = send(answerer->descriptor, output + sent, left, MSG_NOSIGNAL);
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
    records = with_room(records, &record_room, lines, record, RECORD_BYTES);
    if (write(file, records, lines * RECORD_BYTES) < 0) fail("write");
    if (syncs && fdatasync(file) != 0) fail("fdatasync");
}

int main(int count, char **words) {
    if (count != 4) {
        fprintf(stderr, "usage: bench-floor SOCKET FILE always|never\n");
        return 64;
    }
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
        if (lines > 0) append(file, lines, syncs);
        size_t events_due = 0;
        for (int at = 0; at < waiting; at++) {
            answer(asked[at]);
            if (asked[at]->watches) watchers[watching++] = asked[at];
            else events_due += asked[at]->lines;
        }
        if (watching > 0) tell(watchers, watching, events_due);
    }
}

// Many connections that each ask one question, and count the lines that come.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

static char input[256 << 10];
static uint64_t lines;

static void serve_watcher(int descriptor) {
    ssize_t count = recv(descriptor, input, sizeof input, MSG_DONTWAIT);
    if (count == 0) fail("the server closed a watcher's connection");
    const char *end = input + (count > 0 ? count : 0);
    for (const char *at = input; (at = memchr(at, '\n', (size_t)(end - at))); at++) lines++;
}

// One every so often, as `poller` tells, until the time has come.
static void serve_until(int poller, uint64_t end) {
    struct epoll_event events[256];
    while (now() < end) {
        int ready = epoll_wait(poller, events, 256, 100);
        for (int at = 0; at < ready; at++) serve_watcher(events[at].data.fd);
    }
}

int watch(const char *path, int count, const char *question, double seconds) {
    int poller = epoll_create1(0);
    char line[256];
    int length = snprintf(line, sizeof line, "%s\n", question);
    for (int at = 0; at < count; at++) {
        int descriptor = connect_to(path);
        if (write(descriptor, line, (size_t)length) != length) fail("asking");
        struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event) != 0) fail("epoll");
    }
    while (lines < (uint64_t)count) serve_until(poller, now() + 10000000);
    printf("ready\n");
    fflush(stdout);
    uint64_t answers = lines;
    serve_until(poller, now() + 500000000);
    uint64_t start = now(), before = lines;
    serve_until(poller, start + (uint64_t)(seconds * 1e9));
    double took = (double)(now() - start) / 1e9;
    printf("{\"rate\":%.0f,\"all\":%llu}\n", (double)(lines - before) / took,
           (unsigned long long)(lines - answers));
    return 0;
}

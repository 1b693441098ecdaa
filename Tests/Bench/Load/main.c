// Drives one server in closed loops over one or many connections, and prints what came of it as JSON.

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

#define INPUT_BYTES_MAX (256 << 10)

struct connection {
    int descriptor;
    struct slot *slots;
    // Who waits for an answer, in the order of the requests: a ring as long as there are slots.
    uint32_t *asked;
    uint32_t first, waiting;
    uint64_t *sent_at;
    char *input, *output;
    size_t input_length, output_length, output_sent;
};

static const struct protocol *protocol;
static int in_flight;
static struct histogram histogram;
// 0 before the measured time, 1 in it, 2 behind it: nobody begins anew then.
static int phase;
static uint64_t answered, answered_in_time;
// What this program itself needed of a core in the measured time.
static uint64_t own_work;

void fail(const char *what) {
    fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t worked(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int connect_to(const char *address) {
    int descriptor;
    if (address[0] == '/') {
        struct sockaddr_un there = {.sun_family = AF_UNIX};
        snprintf(there.sun_path, sizeof there.sun_path, "%s", address);
        descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(descriptor, (struct sockaddr *)&there, sizeof there) != 0) fail("connect");
    } else {
        struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(address))};
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        descriptor = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(descriptor, (struct sockaddr *)&there, sizeof there) != 0) fail("connect");
        int yes = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    return descriptor;
}

static void request(struct connection *connection, uint32_t number, uint64_t time) {
    struct slot *slot = &connection->slots[number];
    char *to = connection->output + connection->output_length;
    connection->output_length += slot->holds ? protocol->give(to, slot) : protocol->take(to, slot);
    connection->sent_at[number] = time;
    connection->asked[(connection->first + connection->waiting++) % (uint32_t)in_flight] = number;
}

static void take_answer(struct connection *connection, long length, uint64_t time) {
    uint32_t number = connection->asked[connection->first];
    struct slot *slot = &connection->slots[number];
    if (length < 0) {
        fprintf(stderr, "bench-load: %s was refused: %.120s\n", slot->holds ? "giving back" : "taking",
                connection->input);
        exit(1);
    }
    slot->holds = !slot->holds;
    answered++;
    if (phase == 1) {
        answered_in_time++;
        histogram_add(&histogram, time - connection->sent_at[number]);
    }
    connection->first = (connection->first + 1) % (uint32_t)in_flight;
    connection->waiting--;
    // What is held at the end is given back.
    if (phase < 2 || slot->holds) request(connection, number, time);
}

static void flush_output(struct connection *connection) {
    while (connection->output_sent < connection->output_length) {
        ssize_t sent = send(
            connection->descriptor, connection->output + connection->output_sent,
            connection->output_length - connection->output_sent, MSG_NOSIGNAL);
        // What does not fit now goes with the next answer: closed loops are never far ahead.
        if (sent < 0 && errno == EAGAIN) return;
        if (sent < 0) fail("send");
        connection->output_sent += (size_t)sent;
    }
    connection->output_length = connection->output_sent = 0;
}

static void serve(struct connection *connection) {
    ssize_t count = recv(
        connection->descriptor, connection->input + connection->input_length,
        INPUT_BYTES_MAX - connection->input_length, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) fail("the server closed the connection");
    if (count > 0) connection->input_length += (size_t)count;
    uint64_t time = now();
    size_t used = 0;
    while (connection->waiting > 0 && used < connection->input_length) {
        struct slot *slot = &connection->slots[connection->asked[connection->first]];
        long length = protocol->answer(connection->input + used, connection->input_length - used, slot);
        if (length == 0) break;
        take_answer(connection, length, time);
        used += length > 0 ? (size_t)length : 0;
    }
    memmove(connection->input, connection->input + used, connection->input_length - used);
    connection->input_length -= used;
    flush_output(connection);
}

static void begin(struct connection *connection, const char *address, uint32_t number, int poller) {
    connection->descriptor = connect_to(address);
    if (protocol->greet) protocol->greet(connection->descriptor);
    fcntl(connection->descriptor, F_SETFL, O_NONBLOCK);
    connection->slots = calloc((size_t)in_flight, sizeof *connection->slots);
    connection->asked = calloc((size_t)in_flight, sizeof *connection->asked);
    connection->sent_at = calloc((size_t)in_flight, sizeof *connection->sent_at);
    connection->input = malloc(INPUT_BYTES_MAX);
    connection->output = malloc((size_t)(in_flight + 1) * 2 * REQUEST_BYTES_MAX);
    for (int slot = 0; slot < in_flight; slot++) {
        connection->slots[slot].number = number * (uint32_t)in_flight + (uint32_t)slot;
        request(connection, (uint32_t)slot, now());
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->descriptor, &event) != 0) fail("epoll");
}

static void run(int poller, struct connection *connections, int count, double seconds) {
    const uint64_t second = 1000000000u;
    uint64_t start = now(), begins = start + second / 2, ends = begins + (uint64_t)(seconds * 1e9);
    for (int at = 0; at < count; at++) flush_output(&connections[at]);
    int busy = 1;
    while (busy) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, 20000);
        if (ready == 0) fail("no answer within 20 s");
        for (int at = 0; at < ready; at++) serve(events[at].data.ptr);
        uint64_t time = now();
        if (phase == 0 && time >= begins) phase = 1, begins = time, own_work = worked();
        if (phase == 1 && time >= ends) phase = 2, ends = time, own_work = worked() - own_work;
        busy = phase < 2;
        for (int at = 0; at < count && !busy; at++) busy = connections[at].waiting > 0;
    }
    printf("{\"requests\":%llu,\"all\":%llu,\"seconds\":%.6f,", (unsigned long long)answered_in_time,
           (unsigned long long)answered, (double)(ends - begins) / 1e9);
    printf("\"work\":%.6f,", (double)own_work / 1e9);
    printf("\"p50\":%llu,\"p99\":%llu,\"p999\":%llu,\"max\":%llu}\n",
           (unsigned long long)histogram_at(&histogram, 0.5),
           (unsigned long long)histogram_at(&histogram, 0.99),
           (unsigned long long)histogram_at(&histogram, 0.999), (unsigned long long)histogram.longest);
}

int main(int count, char **words) {
    if (count == 6 && strcmp(words[1], "watchers") == 0) {
        return watch(words[2], atoi(words[3]), words[4], atof(words[5]));
    }
    if (count != 6 || !(protocol = protocol_named(words[1]))) {
        fprintf(stderr,
                "usage: bench-load PROTOCOL PATH|PORT CONNECTIONS IN-FLIGHT SECONDS\n"
                "       bench-load watchers PATH CONNECTIONS QUESTION SECONDS\n");
        return 64;
    }
    int connections = atoi(words[3]);
    in_flight = atoi(words[4]);
    struct connection *all = calloc((size_t)connections, sizeof *all);
    int poller = epoll_create1(0);
    for (int at = 0; at < connections; at++) begin(&all[at], words[2], (uint32_t)at, poller);
    run(poller, all, connections, atof(words[5]));
    return 0;
}

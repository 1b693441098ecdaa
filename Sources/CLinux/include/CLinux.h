// The Linux calls that Swift's Glibc module lacks, under prototypes of our own.
//
// This header includes no header of the system beyond the two for plain types: with _GNU_SOURCE here,
// it would clash with Swift's own module of Glibc. Unless said otherwise a function answers like the
// call that it wraps: -1 and errno on failure. Every descriptor that is made here is close-on-exec.

#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>

// Names of errors: static text, "E?" and "unknown error" for a number that the system doesn't know.
const char *clinux_errno_name(int code);
const char *clinux_errno_text(int code);

// epoll. The kernel's own event struct is packed on x86-64 only, so events are handed over in this one.
enum {
    CLINUX_READABLE = 1,
    CLINUX_WRITABLE = 2,
    CLINUX_HUNG_UP = 4,        // EPOLLHUP or EPOLLERR: always reported, asked for or not
    CLINUX_PEER_FINISHED = 8,  // EPOLLRDHUP: only reported with CLINUX_READABLE asked for
    CLINUX_EVENTS_MAX = 512,
};
typedef struct {
    uint64_t tag;
    uint32_t flags;
} clinux_event;

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int fd, uint64_t tag, uint32_t flags);
int clinux_epoll_change(int epoll, int fd, uint64_t tag, uint32_t flags);
int clinux_epoll_remove(int epoll, int fd);
int clinux_epoll_wait(int epoll, clinux_event *events, int capacity, int timeout_milliseconds);

// A timer on CLOCK_BOOTTIME: absolute nanoseconds, 0 disarms. Reading answers whether it had gone off.
int clinux_timer_create(void);
int clinux_timer_set(int timer, int64_t nanoseconds);

// An event counter. `take` answers 1 and sets it to 0, or 0 where it was 0. Serves timers as well.
int clinux_flag_create(void);
int clinux_flag_raise(int flag);
int clinux_counter_take(int fd);

// Signals as a descriptor. `next` answers a signal's number, or 0 when none is waiting.
int clinux_signals_create(const int *signals, size_t count);
int clinux_signals_next(int fd);

int clinux_pidfd_open(int32_t pid);
int clinux_signal_at_parent_death(int signal);

// Stream sockets of the Unix domain, all of them non-blocking. A path is `length` bytes without its
// end; it is refused with ENAMETOOLONG where it doesn't fit with one.
enum { CLINUX_SOCKET_PATH_MAX = 107 };
int clinux_socket_create(void);
int clinux_socket_bind(int fd, const char *path, size_t length);
int clinux_socket_connect(int fd, const char *path, size_t length);
int clinux_socket_accept(int fd);
int clinux_socket_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid);
ptrdiff_t clinux_socket_receive(int fd, void *bytes, size_t count);
ptrdiff_t clinux_socket_send(int fd, const void *bytes, size_t count);

// The same for many sockets, one right after the other, so that between two calls of the system there is next
// to nothing. `result` is how many bytes it was, or a negative error. Receiving fills the room from its
// beginning, each at most `each`, and ends where there is less than that left of it: it answers how many of
// the list were tried.
typedef struct {
    uint64_t tag;  // the caller's
    int fd;
    int32_t result;
    void *bytes;
    size_t count;
} clinux_transfer;
size_t clinux_sockets_receive(clinux_transfer *list, size_t count, void *room, size_t size, size_t each);
void clinux_sockets_send(clinux_transfer *list, size_t count);

// Files.
int clinux_lock_exclusively(int fd);  // flock, EWOULDBLOCK where another has it
int clinux_reserve(int fd, int64_t offset, int64_t count);  // fallocate, the size stays as it is
int clinux_begin_write_back(int fd);  // sync_file_range, without waiting for the disk
int64_t clinux_file_size_limit(void);  // RLIMIT_FSIZE, INT64_MAX for none
int64_t clinux_free_bytes(int fd);  // what a process without privileges may still write, by fstatvfs
int clinux_exchange(int directory, const char *name, const char *other);  // what two names stand for
int clinux_direct_flag(void);  // O_DIRECT
void clinux_device_numbers(uint64_t device, uint32_t *major, uint32_t *minor);

int64_t clinux_raise_descriptor_limit(void);  // RLIMIT_NOFILE, as high as it may be; answers what it is then

ptrdiff_t clinux_random(void *bytes, size_t count);

#endif

// The Linux calls that Swift's Glibc module lacks.

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

// MARK: errors

const char *clinux_errno_name(int code) {
    const char *name = strerrorname_np(code);
    return name ? name : "E?";
}

const char *clinux_errno_text(int code) {
    const char *text = strerrordesc_np(code);
    return text ? text : "unknown error";
}

// MARK: epoll

int clinux_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

// A reader that paused isn't told of EPOLLRDHUP either: it is level triggered, and would spin the loop.
static int control(int epoll, int operation, int fd, uint64_t tag, uint32_t flags) {
    struct epoll_event event = {.events = 0, .data = {.u64 = tag}};
    if (flags & CLINUX_READABLE) event.events |= EPOLLIN | EPOLLRDHUP;
    if (flags & CLINUX_WRITABLE) event.events |= EPOLLOUT;
    return epoll_ctl(epoll, operation, fd, &event);
}

int clinux_epoll_add(int epoll, int fd, uint64_t tag, uint32_t flags) {
    return control(epoll, EPOLL_CTL_ADD, fd, tag, flags);
}

int clinux_epoll_change(int epoll, int fd, uint64_t tag, uint32_t flags) {
    return control(epoll, EPOLL_CTL_MOD, fd, tag, flags);
}

int clinux_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

static uint32_t own_flags(uint32_t events) {
    uint32_t flags = 0;
    if (events & EPOLLIN) flags |= CLINUX_READABLE;
    if (events & EPOLLOUT) flags |= CLINUX_WRITABLE;
    if (events & (EPOLLHUP | EPOLLERR)) flags |= CLINUX_HUNG_UP;
    if (events & EPOLLRDHUP) flags |= CLINUX_PEER_FINISHED;
    return flags;
}

int clinux_epoll_wait(int epoll, clinux_event *events, int capacity, int timeout_milliseconds) {
    struct epoll_event found[CLINUX_EVENTS_MAX];
    if (capacity > CLINUX_EVENTS_MAX) capacity = CLINUX_EVENTS_MAX;
    int count = epoll_wait(epoll, found, capacity, timeout_milliseconds);
    for (int i = 0; i < count; i++) {
        events[i].tag = found[i].data.u64;
        events[i].flags = own_flags(found[i].events);
    }
    return count;
}

// MARK: timers, flags, signals, processes

int clinux_timer_create(void) { return timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC); }

int clinux_timer_set(int timer, int64_t nanoseconds) {
    struct itimerspec when = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000},
    };
    return timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

int clinux_flag_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int clinux_flag_raise(int flag) {
    uint64_t one = 1;
    return write(flag, &one, sizeof one) == sizeof one ? 0 : -1;
}

int clinux_counter_take(int fd) {
    uint64_t count;
    ssize_t got = read(fd, &count, sizeof count);
    if (got == sizeof count) return 1;
    return got < 0 && errno == EAGAIN ? 0 : -1;
}

int clinux_signals_create(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) {
        if (sigaddset(&set, signals[i]) != 0) return -1;
    }
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure != 0) {
        errno = failure;
        return -1;
    }
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

int clinux_signals_next(int fd) {
    struct signalfd_siginfo found;
    ssize_t got = read(fd, &found, sizeof found);
    if (got == sizeof found) return (int)found.ssi_signo;
    return got < 0 && errno == EAGAIN ? 0 : -1;
}

int clinux_pidfd_open(int32_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_signal_at_parent_death(int signal) { return prctl(PR_SET_PDEATHSIG, (long)signal, 0L, 0L, 0L); }

// MARK: sockets

int clinux_socket_create(void) { return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// An empty path would be an abstract or unnamed socket, which has no mode and no owner.
static socklen_t address_of(struct sockaddr_un *address, const char *path, size_t length) {
    if (length == 0 || length > CLINUX_SOCKET_PATH_MAX) {
        errno = length == 0 ? EINVAL : ENAMETOOLONG;
        return 0;
    }
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

int clinux_socket_bind(int fd, const char *path, size_t length) {
    struct sockaddr_un address;
    socklen_t size = address_of(&address, path, length);
    return size == 0 ? -1 : bind(fd, (struct sockaddr *)&address, size);
}

int clinux_socket_connect(int fd, const char *path, size_t length) {
    struct sockaddr_un address;
    socklen_t size = address_of(&address, path, length);
    return size == 0 ? -1 : connect(fd, (struct sockaddr *)&address, size);
}

int clinux_socket_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC); }

int clinux_socket_peer(int fd, int32_t *pid, uint32_t *uid, uint32_t *gid) {
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

ptrdiff_t clinux_socket_receive(int fd, void *bytes, size_t count) {
    return recv(fd, bytes, count, MSG_DONTWAIT);
}

ptrdiff_t clinux_socket_send(int fd, const void *bytes, size_t count) {
    return send(fd, bytes, count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Straight to the system: in a process of two threads recv(2) and send(2) are points at which a thread can be
// cancelled, which is a good part of what they cost.
static int32_t transfer(long call, const clinux_transfer *one, int flags) {
    long done;
    do {
        done = syscall(call, one->fd, one->bytes, one->count, flags, NULL, 0);
    } while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : (int32_t)done;
}

size_t clinux_sockets_receive(clinux_transfer *list, size_t count, void *room, size_t size, size_t each) {
    char *at = room, *end = at + size;
    size_t tried = 0;
    for (; tried < count && (size_t)(end - at) >= each; tried++) {
        list[tried].bytes = at;
        list[tried].count = each;
        list[tried].result = transfer(SYS_recvfrom, &list[tried], MSG_DONTWAIT);
        if (list[tried].result > 0) at += list[tried].result;
    }
    return tried;
}

void clinux_sockets_send(clinux_transfer *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        list[i].result = transfer(SYS_sendto, &list[i], MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

// MARK: files

int clinux_lock_exclusively(int fd) { return flock(fd, LOCK_EX | LOCK_NB); }

int clinux_reserve(int fd, int64_t offset, int64_t count) {
    return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, count);
}

int clinux_begin_write_back(int fd) { return sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }

int64_t clinux_file_size_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) != 0) return -1;
    return limit.rlim_cur > (rlim_t)INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

int64_t clinux_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
    return limit.rlim_cur > (rlim_t)INT32_MAX ? INT32_MAX : (int64_t)limit.rlim_cur;
}

int64_t clinux_free_bytes(int fd) {
    struct statvfs found;
    if (fstatvfs(fd, &found) != 0) return -1;
    unsigned __int128 bytes = (unsigned __int128)found.f_bavail * found.f_frsize;
    return bytes > INT64_MAX ? INT64_MAX : (int64_t)bytes;
}

int clinux_exchange(int directory, const char *name, const char *other) {
    return renameat2(directory, name, directory, other, RENAME_EXCHANGE);
}

int clinux_direct_flag(void) {
    return O_DIRECT;
}

void clinux_device_numbers(uint64_t device, uint32_t *major_number, uint32_t *minor_number) {
    *major_number = major(device);
    *minor_number = minor(device);
}

ptrdiff_t clinux_random(void *bytes, size_t count) { return getrandom(bytes, count, 0); }

// Calls that Swift can't make, or not as the tests want them.

#define _GNU_SOURCE
#include "CTestSupport.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

int ctest_set_thread_users(uint32_t real, uint32_t effective, uint32_t saved) {
    return (int)syscall(SYS_setresuid, real, effective, saved);
}

int ctest_shut_down_ext4(int descriptor) {
    // EXT4_IOC_SHUTDOWN, which no header of the system has, and its flag for a log that is not flushed.
    uint32_t flag = 2;
    return ioctl(descriptor, _IOR('X', 125, uint32_t), &flag);
}

int ctest_pin_thread(int thread, int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(thread, sizeof set, &set);
}

int ctest_is_in_memory(const char *path) {
    struct statfs about;
    return statfs(path, &about) == 0 && about.f_type == TMPFS_MAGIC;
}

int32_t ctest_start_on_terminal(
    const char *path, char *const *arguments, char *const *environment, int *side) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) return -1;
    if (ptsname_r(master, name, sizeof name) != 0) return -1;
    struct winsize size = {.ws_row = 40, .ws_col = 200};
    if (ioctl(master, TIOCSWINSZ, &size) != 0) return -1;
    pid_t child = fork();
    if (child != 0) {
        *side = master;
        return child;
    }
    setsid();
    // The first terminal that a session's leader opens becomes its own.
    int terminal = open(name, O_RDWR);
    for (int standard = 0; standard < 3; standard++) dup2(terminal, standard);
    if (terminal > 2) close(terminal);
    // Under nohup(1) a hang-up is ignored, and what runs on the terminal would outlive it.
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, arguments, environment);
    _exit(127);
}

int ctest_poll(struct pollfd *looks, size_t count, int64_t nanoseconds) {
    struct timespec pause = {.tv_nsec = nanoseconds};
    return ppoll(looks, count, &pause, NULL);
}

const void *ctest_find(const void *bytes, size_t count, const void *wanted, size_t wanted_count) {
    return memmem(bytes, count, wanted, wanted_count);
}

int ctest_send_with_descriptor(int socket, const void *bytes, size_t count, int passed) {
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec part = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
    return (int)sendmsg(socket, &message, MSG_NOSIGNAL);
}

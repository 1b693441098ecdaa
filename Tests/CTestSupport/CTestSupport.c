// The calls that Swift does not reach: those whose meaning the C library changes, and those it hides.

#define _GNU_SOURCE
#include "CTestSupport.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/vfs.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
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

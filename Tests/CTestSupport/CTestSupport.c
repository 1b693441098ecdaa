// The one call whose meaning the C library changes.

#define _GNU_SOURCE
#include "CTestSupport.h"
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

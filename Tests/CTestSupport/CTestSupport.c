// The one call whose meaning the C library changes.

#define _GNU_SOURCE
#include "CTestSupport.h"
#include <sys/syscall.h>
#include <unistd.h>

int ctest_set_thread_users(uint32_t real, uint32_t effective, uint32_t saved) {
    return (int)syscall(SYS_setresuid, real, effective, saved);
}

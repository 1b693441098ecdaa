// What the tests need of Linux that neither Swift's Glibc module nor the daemon's own floor has.

#ifndef CTESTSUPPORT_H
#define CTESTSUPPORT_H

#include <stddef.h>
#include <stdint.h>

// The users of this thread alone: real, effective, saved. (The C library's own call sets them for all
// threads.) -1 and errno on failure.
int ctest_set_thread_users(uint32_t real, uint32_t effective, uint32_t saved);

// Cuts the power of an ext4 file system: what is not on the disk is lost. -1 and errno on failure.
int ctest_shut_down_ext4(int descriptor);

// Runs a thread on one core only. -1 and errno on failure.
int ctest_pin_thread(int thread, int core);

// Whether a path is on a file system in memory.
int ctest_is_in_memory(const char *path);

// Starts a program as the leader of a session of its own, on a new terminal of 200 columns. Answers its pid,
// and the terminal's other side; -1 and errno on failure.
int32_t ctest_start_on_terminal(
    const char *path, char *const *arguments, char *const *environment, int *side);

// poll(2) that waits so many nanoseconds at most.
struct pollfd;
int ctest_poll(struct pollfd *looks, size_t count, int64_t nanoseconds);

// Where bytes stand in others; NULL: nowhere.
const void *ctest_find(const void *bytes, size_t count, const void *wanted, size_t wanted_count);

// Sends bytes with a descriptor beside them. -1 and errno on failure.
int ctest_send_with_descriptor(int socket, const void *bytes, size_t count, int passed);

#endif

// The least of a lock server: what each line of the load needs done, in the answers and the log of leased.

#ifndef LEASES_H
#define LEASES_H

#include <stddef.h>
#include <stdint.h>

// The most that one line makes.
#define ANSWER_BYTES_MAX 96
#define LEASE_RECORD_BYTES_MAX 256

void leases_begin(void);

// The instant of all that follows, on the clock of the machine's boot. What is due by then ends.
// Returns how many bytes of records that made, at most so many.
size_t leases_tick(char *records, size_t room);

// Carries out a line, without its end: writes its answer, and its record if there is one.
void leases_line(const char *line, size_t length, char **answer, char **record);

#endif

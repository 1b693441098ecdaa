// A command that is forked, held back, and executed when it may be; and who ends it when we are killed.
//
// Like every header here it includes none of the system's beyond those for plain types: see CLinux.h. A
// function answers -1 and errno on failure. Every descriptor that is made is close-on-exec.

#ifndef CLAUNCH_H
#define CLAUNCH_H

#include <stddef.h>
#include <stdint.h>

// What the child needs, all of it made before the fork: behind it, only calls that a signal handler may
// make are made. Arrays end with NULL.
typedef struct {
    char **paths;        // where the command may be, in the order in which they are tried
    char **arguments;
    char **script;       // the shell, room for a path, and `arguments` without the first
    char **environment;  // with room for what comes through the gate at its end
    size_t variables;    // how many are there
    size_t room;         // for how many more there is room
    int output;          // what its standard output is to be; -1: ours
    int has_own_group;
    int has_default_child_signal;  // whether SIGCHLD was not ignored when we were started
} claunch_command;

// Forks the command. It waits at the gate: it is executed when it has read its last variables there, each
// with its NUL, and one more NUL; it ends where the gate is closed before, or where its parent ends. Before
// the fork there must be one thread, and `claunch_hold_signals` must have been called. What the execution
// fails with can be read from `report` as an int, which is empty otherwise.
enum { CLAUNCH_GATE_MAX = 120000 };
int32_t claunch_fork(const claunch_command *command, int *gate, int *report);

// Blocks the signals that the command is to get, or that tell of it, and gives a descriptor from which they
// can be read; those that stop a job stay as they are where `keeps_stops` is set. Commands are executed with
// the mask of before. SIGCHLD is no longer ignored, if it was: answers 0 for that, else 1.
int claunch_hold_signals(int keeps_stops, int *descriptor);
typedef struct {
    int number;
    int is_from_kernel;  // a terminal's, for one
    int32_t sender;
} claunch_signal;
// 1 and the next signal, or 0 where there is none.
int claunch_next_signal(int descriptor, claunch_signal *found);

// A process that waits for our end and then kills a process group (0: none). It has no descriptor but its
// own, and no terminal. Answers its pid to us; to itself 0, when we have ended and the group is killed.
int32_t claunch_fork_guard(int32_t group, int *lifeline);

// A process of our group that only takes note of signals: what it got, the whole group got. It ends with us.
int32_t claunch_fork_witness(void);

enum { CLAUNCH_RUNS = 0, CLAUNCH_STOPPED = 1, CLAUNCH_EXITED = 2, CLAUNCH_KILLED = 3 };
// How a child is; `value` is its exit code or the signal. It stays to be waited for.
int claunch_state(int32_t child, int *value);
// Waits for a child's end, and takes it.
int claunch_reap(int32_t child);

int claunch_set_group(int32_t process);
// From here on, processes whose parents end become our children: who ends them can see that they have ended,
// whatever the first process of the system does about it.
int claunch_adopt_orphans(void);
// Takes the ended children of a group. Answers whether there is anybody left in it.
int claunch_group_is_there(int32_t group);
// Opens /dev/null at those of 0, 1 and 2 that are closed, for us alone: else what is opened next would get
// such a number, and what is said on stderr would go there.
int claunch_occupy_standard(void);
// Removes a folder and all that is in it; 0 also where there is none.
int claunch_remove_tree(const char *path);
// Ends this process by a signal, without leaving a core.
void claunch_die_by(int signal);

#endif

// A command that is forked, held back, and executed when it may be; and who ends it when we are killed.

#define _GNU_SOURCE
#include "CLaunch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static sigset_t mask_before;

// MARK: signals

// Those that say that this program itself is wrong are never blocked: they would be lost.
static const int never_held[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

int claunch_hold_signals(int keeps_stops, int *descriptor) {
    sigset_t held;
    sigfillset(&held);
    for (size_t i = 0; i < sizeof never_held / sizeof *never_held; i++) sigdelset(&held, never_held[i]);
    for (size_t i = 0; keeps_stops && i < sizeof stops / sizeof *stops; i++) sigdelset(&held, stops[i]);
    struct sigaction child;
    if (sigprocmask(SIG_BLOCK, &held, &mask_before) != 0) return -1;
    if (sigaction(SIGCHLD, NULL, &child) != 0) return -1;
    int is_ignored = child.sa_handler == SIG_IGN;
    // Ignored, it would take away the exit codes of the children.
    if (is_ignored && signal(SIGCHLD, SIG_DFL) == SIG_ERR) return -1;
    // Written to a closed pipe, it says no more than the write's own error.
    sigdelset(&held, SIGPIPE);
    *descriptor = signalfd(-1, &held, SFD_NONBLOCK | SFD_CLOEXEC);
    return *descriptor < 0 ? -1 : !is_ignored;
}

int claunch_next_signal(int descriptor, claunch_signal *found) {
    struct signalfd_siginfo about;
    ssize_t got;
    do got = read(descriptor, &about, sizeof about);
    while (got < 0 && errno == EINTR);
    if (got != sizeof about) return got < 0 && errno == EAGAIN ? 0 : -1;
    found->number = (int)about.ssi_signo;
    found->is_from_kernel = about.ssi_code == SI_KERNEL;
    found->sender = (int32_t)about.ssi_pid;
    return 1;
}

void claunch_die_by(int number) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    signal(number, SIG_DFL);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    kill(getpid(), number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    _exit(128 + number);
}

// MARK: the command, in the child: nothing that a signal handler may not do

// Adds what comes through the gate to the environment. 0: the gate was closed.
static int pass_gate(int gate, const claunch_command *command, char *late) {
    size_t taken = 0;
    size_t start = 0;
    size_t variables = command->variables;
    while (1) {
        ssize_t got = read(gate, late + taken, CLAUNCH_GATE_MAX - taken);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return 0;
        size_t end = taken + (size_t)got;
        for (; taken < end; taken++) {
            if (late[taken] != 0) continue;
            if (taken == start) {
                command->environment[variables] = NULL;
                return 1;
            }
            if (variables - command->variables >= command->room) return 0;
            command->environment[variables++] = late + start;
            start = taken + 1;
        }
    }
}

// As execvp(3) does, which may not be called here. Answers why it could not be.
static int execute(const claunch_command *command) {
    int refused = ENOENT;
    for (char **path = command->paths; *path != NULL; path++) {
        execve(*path, command->arguments, command->environment);
        if (errno == ENOEXEC) {
            command->script[1] = *path;
            execve(command->script[0], command->script, command->environment);
        }
        if (errno == EACCES) refused = EACCES;
        else if (errno != ENOENT && errno != ENOTDIR) return errno;
    }
    return refused;
}

static void run_child(const claunch_command *command, pid_t parent, int gate, int report, char *late) {
    // The parent may have ended before the kernel was asked to tell: then it would never tell.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) _exit(1);
    if (command->has_own_group && setpgid(0, 0) != 0) _exit(1);
    if (!pass_gate(gate, command, late)) _exit(1);
    if (!command->has_default_child_signal) signal(SIGCHLD, SIG_IGN);
    // Of what is open only the copy outlives the execution.
    if (command->output >= 0 && dup2(command->output, 1) != 1) _exit(1);
    sigprocmask(SIG_SETMASK, &mask_before, NULL);
    int failure = execute(command);
    ssize_t said = write(report, &failure, sizeof failure);
    _exit(said < 0 || failure != ENOENT ? 126 : 127);
}

int32_t claunch_fork(const claunch_command *command, int *gate, int *report) {
    int gates[2], reports[2];
    char *late = malloc(CLAUNCH_GATE_MAX);
    if (late == NULL) return -1;
    if (pipe2(gates, O_CLOEXEC) != 0) return -1;
    if (pipe2(reports, O_CLOEXEC) != 0) return -1;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) {
        close(gates[1]);
        close(reports[0]);
        run_child(command, parent, gates[0], reports[1], late);
    }
    free(late);
    close(gates[0]);
    close(reports[1]);
    *gate = gates[1];
    *report = reports[0];
    return child;
}

// MARK: the guard

int32_t claunch_fork_guard(int32_t group, int *lifeline) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t guard = fork();
    if (guard != 0) {
        close(ends[0]);
        if (guard < 0) close(ends[1]);
        else *lifeline = ends[1];
        return guard;
    }
    // Out of reach of what is sent to our group, and in the way of nobody: not of a pipe's reader, not of a
    // terminal, not of a file system that is to be unmounted.
    setsid();
    prctl(PR_SET_NAME, "lease-guard", 0, 0, 0);
    if (dup2(ends[0], 0) != 0) _exit(1);
    syscall(SYS_close_range, 1U, ~0U, 0U);
    if (chdir("/") != 0) _exit(1);
    char byte;
    while (read(0, &byte, 1) < 0 && errno == EINTR) {}
    if (group > 0) kill(-group, SIGKILL);
    return 0;
}

// MARK: the witness

int32_t claunch_fork_witness(void) {
    pid_t parent = getpid();
    pid_t witness = fork();
    if (witness != 0) return witness;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != parent) _exit(1);
    prctl(PR_SET_NAME, "lease-witness", 0, 0, 0);
    // All of them, those that would stop it, too: they stay pending, where they can be seen.
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    syscall(SYS_close_range, 0U, ~0U, 0U);
    if (chdir("/") != 0) _exit(1);
    while (1) pause();
}

// MARK: children

int claunch_state(int32_t child, int *value) {
    siginfo_t about;
    about.si_pid = 0;
    int code;
    do code = waitid(P_PID, (id_t)child, &about, WEXITED | WSTOPPED | WNOHANG | WNOWAIT);
    while (code != 0 && errno == EINTR);
    if (code != 0) return -1;
    *value = 0;
    if (about.si_pid == 0) return CLAUNCH_RUNS;
    *value = about.si_status;
    if (about.si_code == CLD_STOPPED) return CLAUNCH_STOPPED;
    return about.si_code == CLD_EXITED ? CLAUNCH_EXITED : CLAUNCH_KILLED;
}

int claunch_reap(int32_t child) {
    int code;
    do code = waitpid(child, NULL, 0);
    while (code < 0 && errno == EINTR);
    return code < 0 ? -1 : 0;
}

int claunch_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

int claunch_group_is_there(int32_t group) {
    while (waitpid(-group, NULL, WNOHANG) > 0) {}
    return kill(-group, 0) == 0 || errno != ESRCH;
}

int claunch_set_group(int32_t process) {
    // EACCES: it has been executed already, and was in its group by then.
    return setpgid(process, process) == 0 || errno == EACCES || errno == ESRCH ? 0 : -1;
}

int claunch_occupy_standard(void) {
    while (1) {
        int found = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (found < 0) return -1;
        if (found > 2) return close(found);
    }
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place) {
    (void)about, (void)kind, (void)place;
    return remove(path);
}

int claunch_remove_tree(const char *path) {
    int code = nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    return code == 0 || errno == ENOENT ? 0 : -1;
}

// Child processes beside threads: posix_spawn(3) with what Swift's view of it lacks.
#ifndef GODWIT_CLINUX_PROCESSES_H
#define GODWIT_CLINUX_PROCESSES_H

#include <sys/types.h>

/// Starts a program in a process group of its own, in `/`, with default signal actions, the three descriptors (negative: /dev/null) and no
/// others. With `blocks_signals` all signals stay blocked in it: only SIGKILL and faults end it. Returns 0 or -errno.
int godwit_spawn(const char *path, char *const arguments[], char *const environment[], int input, int output, int error,
                 int blocks_signals, pid_t *process);

/// Whether a child ended: 1 with its wait status, 0 while it runs, or -errno. What it left behind in its group is killed first.
int godwit_reap(pid_t process, int *status);

/// A descriptor that is readable once the process ended, close-on-exec; -errno on kernels before 5.3.
int godwit_process_descriptor(pid_t process);

/// A pipe or a pair of packet sockets, close-on-exec. Returns 0 or -errno.
int godwit_pipe(int ends[2]);
int godwit_packet_sockets(int ends[2]);

#endif

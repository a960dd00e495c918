#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int add_descriptor(posix_spawn_file_actions_t *actions, int descriptor, int place) {
  if (descriptor < 0) return posix_spawn_file_actions_addopen(actions, place, "/dev/null", O_RDWR, 0);
  return posix_spawn_file_actions_adddup2(actions, descriptor, place);
}

int godwit_spawn(const char *path, char *const arguments[], char *const environment[], int input, int output, int error,
                 int blocks_signals, pid_t *process) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t all, mask;
  int result = posix_spawn_file_actions_init(&actions);
  if (result != 0) return -result;
  result = posix_spawnattr_init(&attributes);
  if (result != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return -result;
  }
  sigfillset(&all);
  if (blocks_signals) sigfillset(&mask);
  else sigemptyset(&mask);
  if (!result) result = add_descriptor(&actions, input, 0);
  if (!result) result = add_descriptor(&actions, output, 1);
  if (!result) result = add_descriptor(&actions, error, 2);
  // Libraries open descriptors without close-on-exec.
  if (!result) result = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (!result) result = posix_spawn_file_actions_addchdir_np(&actions, "/");
  if (!result) result = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!result) result = posix_spawnattr_setsigmask(&attributes, &mask);
  if (!result) result = posix_spawnattr_setpgroup(&attributes, 0);
  if (!result)
    result = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  if (!result) result = posix_spawn(process, path, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return -result;
}

int godwit_reap(pid_t process, int *status) {
  siginfo_t info = {0};
  // The group's number is not given to anybody else while its first process is not reaped.
  if (waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) != 0) return -errno;
  if (info.si_pid == 0) return 0;
  kill(-process, SIGKILL);
  return waitpid(process, status, WNOHANG) == process ? 1 : -errno;
}

int godwit_process_descriptor(pid_t process) {
#ifdef SYS_pidfd_open
  long descriptor = syscall(SYS_pidfd_open, process, 0);
  return descriptor < 0 ? -errno : (int)descriptor;
#else
  (void)process;
  return -ENOSYS;
#endif
}

int godwit_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) != 0 ? -errno : 0; }

int godwit_packet_sockets(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ? -errno : 0;
}

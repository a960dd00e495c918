#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int godwit_confine_self(void) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -errno;
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  setpriority(PRIO_PROCESS, 0, 10);
  int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (score >= 0) {
    ssize_t written = write(score, "800", 3);
    (void)written;
    close(score);
  }
  // A core that is piped to a program does not heed the limit; and from here on the files of /proc/self are root's.
  prctl(PR_SET_DUMPABLE, 0);
  closefrom(STDERR_FILENO + 1);
  return 0;
}

int godwit_stream_sockets(int ends[2]) {
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ? -errno : 0;
}

int godwit_ending_signal(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : 0; }

int godwit_exit_status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 0; }

#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>
#include <string.h>
#include <sys/ioctl.h>

int godwit_watchdog_support(int descriptor, uint32_t *options, char *identity) {
  struct watchdog_info info = {0};
  if (ioctl(descriptor, WDIOC_GETSUPPORT, &info) != 0) return -errno;
  *options = info.options;
  memcpy(identity, info.identity, sizeof info.identity);
  identity[sizeof info.identity] = 0;
  return 0;
}

int godwit_watchdog_boot_status(int descriptor, int *status) {
  return ioctl(descriptor, WDIOC_GETBOOTSTATUS, status) != 0 ? -errno : 0;
}

int godwit_watchdog_set_timeout(int descriptor, int *seconds) {
  return ioctl(descriptor, WDIOC_SETTIMEOUT, seconds) != 0 ? -errno : 0;
}

int godwit_watchdog_timeout(int descriptor, int *seconds) {
  return ioctl(descriptor, WDIOC_GETTIMEOUT, seconds) != 0 ? -errno : 0;
}

int godwit_watchdog_keep_alive(int descriptor) {
  // The driver ignores what the number points to.
  int unused = 0;
  return ioctl(descriptor, WDIOC_KEEPALIVE, &unused) != 0 ? -errno : 0;
}

int godwit_open_write(const char *path) {
  int descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  return descriptor < 0 ? -errno : descriptor;
}

#define _GNU_SOURCE
#include "CLinuxNetlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

int godwit_netlink_open(int family) {
  int descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, family);
  if (descriptor < 0) return -errno;
  // Connected to port 0, the kernel: what other processes send is refused (netlink_getsockbyportid).
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  if (connect(descriptor, (const struct sockaddr *)&kernel, sizeof kernel) == 0) return descriptor;
  int result = -errno;
  close(descriptor);
  return result;
}

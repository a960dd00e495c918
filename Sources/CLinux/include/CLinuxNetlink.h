// Netlink sockets: sockaddr_nl is not in Swift's view of the C library.
#ifndef GODWIT_CLINUX_NETLINK_H
#define GODWIT_CLINUX_NETLINK_H

/// A socket of a netlink family that talks to the kernel only, close-on-exec and non-blocking; the descriptor or -errno.
int godwit_netlink_open(int family);

#endif

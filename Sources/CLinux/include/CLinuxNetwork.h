// Internet sockets for probes: addresses cross as bytes, so that no sockaddr is cast in Swift. Each returns 0 or -errno unless it says otherwise.
#ifndef GODWIT_CLINUX_NETWORK_H
#define GODWIT_CLINUX_NETWORK_H

#include <stdint.h>

/// An address (4 or 16 bytes, in network order), its interface where it is link-local, and a port.
struct godwit_endpoint {
  int is_ipv6;
  uint8_t address[16];
  uint32_t scope;
  uint16_t port;
};

/// Reads `192.0.2.1`, `2001:db8::1` or `fe80::1%eth0`; 0, or -EINVAL for anything else.
int godwit_endpoint_parse(const char *text, struct godwit_endpoint *endpoint);
/// Writes the address; `text` has room for 64 bytes.
void godwit_endpoint_text(const struct godwit_endpoint *endpoint, char *text);

enum godwit_socket_kind { GODWIT_STREAM, GODWIT_DATAGRAM, GODWIT_PING, GODWIT_RAW_PING };
/// A socket, close-on-exec and non-blocking; the descriptor or -errno.
int godwit_network_socket(int kind, int is_ipv6);
/// -EINPROGRESS while a stream is connecting.
int godwit_network_connect(int descriptor, const struct godwit_endpoint *endpoint);
/// What became of connecting.
int godwit_network_outcome(int descriptor);
/// How many routers a packet may pass, and that ICMP errors are queued (IP_RECVERR of ip(7)).
int godwit_network_trace(int descriptor, int is_ipv6, int hops);

/// An ICMP error about a packet of this socket.
struct godwit_network_error {
  uint8_t type, code;
  struct godwit_endpoint origin;
};
/// Takes one from the queue; -EAGAIN when there is none, -EPROTO when it did not come by ICMP.
int godwit_network_take_error(int descriptor, struct godwit_network_error *error);

#endif

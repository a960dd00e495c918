#define _GNU_SOURCE
#include "CLinuxNetwork.h"

#include <arpa/inet.h>
#include <errno.h>
// struct timespec before the kernel's header, which uses it.
#include <time.h>
#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int godwit_endpoint_parse(const char *text, struct godwit_endpoint *endpoint) {
  char name[INET6_ADDRSTRLEN + IF_NAMESIZE + 2];
  memset(endpoint, 0, sizeof *endpoint);
  if (inet_pton(AF_INET, text, endpoint->address) == 1) return 0;
  if (strlen(text) >= sizeof name) return -EINVAL;
  strcpy(name, text);
  char *scope = strchr(name, '%');
  if (scope) {
    *scope++ = 0;
    endpoint->scope = if_nametoindex(scope);
    if (endpoint->scope == 0) return -EINVAL;
  }
  endpoint->is_ipv6 = 1;
  return inet_pton(AF_INET6, name, endpoint->address) == 1 ? 0 : -EINVAL;
}

void godwit_endpoint_text(const struct godwit_endpoint *endpoint, char *text) {
  char scope[IF_NAMESIZE];
  text[0] = 0;
  inet_ntop(endpoint->is_ipv6 ? AF_INET6 : AF_INET, endpoint->address, text, INET6_ADDRSTRLEN);
  if (endpoint->scope && if_indextoname(endpoint->scope, scope)) {
    size_t length = strlen(text);
    snprintf(text + length, 64 - length, "%%%s", scope);
  }
}

int godwit_network_socket(int kind, int is_ipv6) {
  int family = is_ipv6 ? AF_INET6 : AF_INET;
  int echo = is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
  int type = kind == GODWIT_STREAM ? SOCK_STREAM : kind == GODWIT_RAW_PING ? SOCK_RAW : SOCK_DGRAM;
  int protocol = kind == GODWIT_PING || kind == GODWIT_RAW_PING ? echo : 0;
  int descriptor = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  return descriptor < 0 ? -errno : descriptor;
}

int godwit_network_connect(int descriptor, const struct godwit_endpoint *endpoint) {
  struct sockaddr_in old = {.sin_family = AF_INET, .sin_port = htons(endpoint->port)};
  struct sockaddr_in6 new = {.sin6_family = AF_INET6, .sin6_port = htons(endpoint->port), .sin6_scope_id = endpoint->scope};
  memcpy(&old.sin_addr, endpoint->address, sizeof old.sin_addr);
  memcpy(&new.sin6_addr, endpoint->address, sizeof new.sin6_addr);
  int result = endpoint->is_ipv6 ? connect(descriptor, (struct sockaddr *)&new, sizeof new)
                                 : connect(descriptor, (struct sockaddr *)&old, sizeof old);
  return result == 0 ? 0 : -errno;
}

int godwit_network_outcome(int descriptor) {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return -errno;
  return -error;
}

int godwit_network_trace(int descriptor, int is_ipv6, int hops) {
  int yes = 1;
  int result = is_ipv6 ? setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof yes)
                       : setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
  if (result == 0)
    result = is_ipv6 ? setsockopt(descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops)
                     : setsockopt(descriptor, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
  return result == 0 ? 0 : -errno;
}

// Who sent it stands behind the error, where there is room for it (SO_EE_OFFENDER).
static void take_origin(const struct cmsghdr *header, const struct sock_extended_err *told, struct godwit_endpoint *origin) {
  const unsigned char *end = (const unsigned char *)header + header->cmsg_len;
  const unsigned char *place = (const unsigned char *)(told + 1);
  struct sockaddr_in old;
  struct sockaddr_in6 new;
  sa_family_t family;
  if (place + sizeof family > end) return;
  memcpy(&family, place, sizeof family);
  if (family == AF_INET && place + sizeof old <= end) {
    memcpy(&old, place, sizeof old);
    memcpy(origin->address, &old.sin_addr, sizeof old.sin_addr);
  } else if (family == AF_INET6 && place + sizeof new <= end) {
    memcpy(&new, place, sizeof new);
    origin->is_ipv6 = 1;
    memcpy(origin->address, &new.sin6_addr, sizeof new.sin6_addr);
    origin->scope = new.sin6_scope_id;
  }
}

int godwit_network_take_error(int descriptor, struct godwit_network_error *error) {
  _Alignas(struct cmsghdr) char control[512];
  char data[64];
  struct iovec part = {data, sizeof data};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  memset(error, 0, sizeof *error);
  if (recvmsg(descriptor, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    int is_error = (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                   (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR);
    if (!is_error || header->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err))) continue;
    const struct sock_extended_err *told = (const struct sock_extended_err *)CMSG_DATA(header);
    if (told->ee_origin != SO_EE_ORIGIN_ICMP && told->ee_origin != SO_EE_ORIGIN_ICMP6) return told->ee_errno ? -(int)told->ee_errno : -EPROTO;
    error->type = told->ee_type;
    error->code = told->ee_code;
    take_origin(header, told, &error->origin);
    return 0;
  }
  return -EPROTO;
}

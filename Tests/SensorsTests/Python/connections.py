"""`hold NAME`: sockets in many states, held under that name until the input ends. `count PID`: what psutil knows of all sockets, as JSON."""

import collections
import fcntl
import json
import socket
import struct
import sys


def hold(name):
    with open("/proc/self/comm", "w") as comm:
        comm.write(name)
    kept = []

    def bound(family, kind, address, port):
        kept.append(socket.socket(family, kind))
        kept[-1].bind((address, port))
        return kept[-1]

    def connection(listener):
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
        kept.extend([client, server])
        return client, server

    # SIOCSIFFLAGS with IFF_UP: netdevice(7).
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        fcntl.ioctl(plain, 0x8914, struct.pack("16sh", b"lo", 1))
    bound(socket.AF_INET, socket.SOCK_STREAM, "0.0.0.0", 8080).listen()
    local = bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1", 8081)
    local.listen()
    if socket.has_ipv6:
        bound(socket.AF_INET6, socket.SOCK_STREAM, "::", 8082).listen()
        bound(socket.AF_INET6, socket.SOCK_DGRAM, "::", 5302)
    for _ in range(4):
        connection(local)
    # FIN_WAIT2 at one end, CLOSE_WAIT at the other.
    client, server = connection(local)
    client.shutdown(socket.SHUT_WR)
    server.recv(1)
    # TIME_WAIT at one end, nothing at the other.
    client, server = connection(local)
    client.close()
    server.recv(1)
    server.close()
    # One connection fits into the queue, and waits there for being accepted; the next stays in SYN_SENT.
    full = bound(socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1", 8083)
    full.listen(0)
    for _ in range(3):
        kept.append(socket.socket())
        kept[-1].setblocking(False)
        kept[-1].connect_ex(full.getsockname())
    bound(socket.AF_INET, socket.SOCK_DGRAM, "0.0.0.0", 5300)
    bound(socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1", 5301)
    # A client has a peer.
    kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    kept[-1].connect(("127.0.0.1", 5301))
    print("ready", flush=True)
    sys.stdin.read()


def count(pid):
    import psutil

    tcp, udp, listening, reachable = (collections.Counter() for _ in range(4))
    for known in psutil.net_connections("inet"):
        if known.type == socket.SOCK_STREAM:
            tcp[known.status.lower()] += 1
            port = f"{known.laddr.port}/tcp" if known.status == psutil.CONN_LISTEN else None
        else:
            udp["ipv4" if known.family == socket.AF_INET else "ipv6"] += 1
            port = f"{known.laddr.port}/udp" if not known.raddr else None
        if port:
            listening[port] += 1
            if not known.laddr.ip.startswith("127."):
                reachable[port] += 1
    sockets = len(psutil.Process(pid).net_connections("inet"))
    print(json.dumps({"tcp": tcp, "udp": udp, "listening": listening, "reachable": reachable, "sockets": sockets}))


if sys.argv[1] == "hold":
    hold(sys.argv[2])
else:
    count(int(sys.argv[2]))

"""Fills a machine for a measurement: load_machine.py PROCESSES SOCKETS. Says `ready`, and takes all away when it is ended by SIGTERM.

The processes sleep, for an hour at most; the sockets are both ends of TCP connections over loopback, held by processes of a few hundred each.
"""

import os
import resource
import signal
import socket
import sys
import time

PAIRS_OF_ONE = 250


def hold(pairs, ready, parent):
    """A process with so many connections to itself."""
    held = []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        for _ in range(pairs):
            held.append(socket.create_connection(listener.getsockname()))
            held.append(listener.accept()[0])
    os.write(ready, b"+")
    # Not for ever, should its parent be killed.
    while os.getppid() == parent:
        time.sleep(5)


def start(processes, pairs):
    children = []
    reader, ready = os.pipe()
    parent = os.getpid()
    while pairs > 0:
        child = os.fork()
        if child == 0:
            try:
                hold(min(pairs, PAIRS_OF_ONE), ready, parent)
            finally:
                os._exit(0)
        children.append(child)
        pairs -= PAIRS_OF_ONE
        if os.read(reader, 1) != b"+":
            raise OSError("connections could not be made")
    for _ in range(processes):
        children.append(os.posix_spawn("/bin/sleep", ["sleep", "3600"], os.environ))
    return children


def main():
    processes, sockets = int(sys.argv[1]), int(sys.argv[2])
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    children = []
    try:
        children = start(processes, sockets // 2)
        print("ready", flush=True)
        signal.pause()
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


main()

"""ZeroMQ's TCP endpoints on this machine, as Unix sockets: a box has no TCP, and its loopback is itself alone.

`tcp://*:5555`, `tcp://localhost:5555` and their like become one file a port; another host's address is left as it is, and
fails as it does without a network.
"""

import errno
import os
import random

from . import OURS

LOCAL = ("*", "0.0.0.0", "127.0.0.1", "localhost", "lo", "[::]", "[::1]")
FIRST, LAST = 49152, 65535


def file_of(port):
    return "%s/zmq-%d" % (OURS, port)


def split(endpoint):
    """(host, port) of a local TCP endpoint, or None."""
    if isinstance(endpoint, bytes):
        endpoint = endpoint.decode("utf-8", "replace")
    if not isinstance(endpoint, str) or not endpoint.startswith("tcp://"):
        return None
    host, _, port = endpoint[len("tcp://") :].rpartition(":")
    if host not in LOCAL:
        return None
    return host, port


def endpoint_of(endpoint):
    found = split(endpoint)
    if found is None or not found[1].isdigit():
        return endpoint
    return "ipc://" + file_of(int(found[1]))


def shown(endpoint):
    """What a socket says of itself, as if it were TCP."""
    begin = "ipc://%s/zmq-" % OURS
    text = endpoint.decode() if isinstance(endpoint, bytes) else endpoint
    if not isinstance(text, str) or not text.startswith(begin):
        return endpoint
    made = "tcp://127.0.0.1:" + text[len(begin) :].rstrip("\0")
    return made.encode() if isinstance(endpoint, bytes) else made


def patch(zmq):
    Socket = zmq.Socket
    bind, get = Socket.bind, Socket.get

    def bound(self, address, *rest, **named):
        found = split(address)
        if found is None:
            return bind(self, address, *rest, **named)
        host, port = found
        if port in ("*", "0"):
            return bound(self, "tcp://%s:%d" % (host, free_port()), *rest, **named)
        if not port.isdigit():
            return bind(self, address, *rest, **named)
        # ZeroMQ itself would take the file of another socket away.
        if os.path.exists(file_of(int(port))):
            raise zmq.ZMQError(errno.EADDRINUSE)
        return bind(self, endpoint_of(address), *rest, **named)

    def random_port(self, addr, min_port=FIRST, max_port=LAST + 1, max_tries=100):
        for _ in range(max_tries):
            port = random.SystemRandom().randrange(min_port, max_port)
            try:
                bound(self, "%s:%d" % (addr, port))
            except zmq.ZMQError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
        raise zmq.ZMQBindError("Could not bind socket to random port.")

    def got(self, option):
        return shown(get(self, option))

    def mapped(method):
        def call(self, addr=None, *rest, **named):
            return method(self, endpoint_of(addr), *rest, **named)

        return call

    Socket.bind = bound
    Socket.bind_to_random_port = random_port
    Socket.get = Socket.getsockopt = got
    for name in ("connect", "disconnect", "unbind"):
        setattr(Socket, name, mapped(getattr(Socket, name)))


def free_port():
    while True:
        port = random.SystemRandom().randrange(FIRST, LAST + 1)
        if not os.path.exists(file_of(port)):
            return port

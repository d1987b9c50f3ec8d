"""One process's way to the agent: a session of its own, with an agent's box of its own behind it.

Requests are answered in turn. A signal's exception (a time limit, say) leaves the wait, as it would have left the agent's
code: the agent is told to stop, and the late answer is dropped. Where the agent's process ends, this one ends as it did, for
in one process both would have.
"""

import json
import os
import signal
import socket
import struct
import threading

from . import OURS, codec, frames

SOCKET = os.path.join(OURS, "host")
U32 = struct.Struct("<I")
SMALL = 4096


class Channel:
    def __init__(self):
        self.lock = threading.RLock()
        self.epoch = 0
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self):
        """Also in a forked child: its parent's session is not its own."""
        self.lock = threading.RLock()
        self.epoch += 1
        self.socket = None
        self.session = 0
        self.asked = 0

    def connect(self):
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.connect(SOCKET)
        os.set_inheritable(made.fileno(), False)
        self.session = U32.unpack(made.recv(4, socket.MSG_WAITALL))[0]
        self.reader = frames.Reader(lambda: made.recv(65536))
        self.socket = made

    def send(self, kind, payload):
        data = frames.frame(kind, self.session, payload)
        if len(data) <= SMALL:
            self.socket.sendall(data)
            return
        # A signal's exception in the middle would leave half a frame.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        try:
            self.socket.sendall(data)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def ask(self, request):
        """The answer's bytes. Raises Failed with what the agent raised."""
        with self.lock:
            if self.socket is None:
                self.connect()
            self.asked = asked = self.asked + 1
            number = U32.pack(asked)
            if len(request) + 4 > frames.LARGEST - 64:
                raise codec.TooMuch("more than %d bytes for the agent at once" % frames.LARGEST)
            try:
                self.send(frames.ASK, number + request)
                while True:
                    found = self.reader.next()
                    if found is None:
                        os._exit(1)
                    kind, _, payload = found
                    if kind == frames.GONE:
                        die(payload)
                    if payload[:4] == number:
                        break
            except BaseException:
                self.send(frames.INTERRUPT, number)
                raise
            if kind == frames.FAILURE:
                raise Failed(payload[4:])
            return payload[4:]


class Failed(Exception):
    """What the agent's code raised, as it came."""


def die(payload):
    end = json.loads(payload)
    name = end.get("signal")
    if name is not None:
        number = getattr(signal, name, signal.SIGKILL)
        signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), number)
    os._exit(end.get("code") or 0)


the = Channel()


def unsplit(why):
    """Ends this run: the bundle needs its agent in the same process."""
    if the.socket is None:
        the.connect()
    the.send(frames.UNSPLIT, why.encode("utf-8", "replace")[:1000])
    while True:
        signal.pause()

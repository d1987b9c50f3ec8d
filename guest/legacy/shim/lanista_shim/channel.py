"""One process's way to the agent: a session of its own, with an agent's box of its own behind it.

Requests are answered in turn. An exception that a signal brings (a time limit's) is handed on to the agent, whose code it
would have met in one process: it is raised there, and here if it comes back out of there. An agent that catches it goes on, as
it would. Where the agent's process ends, this one ends as it did, for
in one process both would have.

The first process of a box has a way of its own to the host; what the others say is carried by grader_side.py, to which all are
connected, so that it sees them end.

Each Python of a bundle loads this, so it takes from the standard library what is there already or costs nothing.
"""

import _signal as signal
import _socket
import os
import struct
from _thread import RLock

from . import OURS, codec, frames

SOCKET = os.path.join(OURS, "host")
U32 = struct.Struct("<I")
I32 = struct.Struct("i")
SMALL = 4096


class Channel:
    def __init__(self):
        self.epoch = 0
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self):
        """Also in a forked child: its parent's session is not its own."""
        self.lock = RLock()
        self.epoch += 1
        if self.epoch > 1 and self.socket is not None:
            if self.wire != self.socket.fileno():
                os.close(self.wire)
            self.socket.close()
        self.socket = None
        self.wire = -1
        self.session = 0
        self.asked = 0

    def connect(self):
        made = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        made.connect(SOCKET)
        flags = _socket.MSG_WAITALL | _socket.MSG_CMSG_CLOEXEC
        number, rights, _, _ = made.recvmsg(4, _socket.CMSG_SPACE(4), flags)
        self.session = U32.unpack(number)[0]
        wire = I32.unpack(rights[0][2])[0] if rights else made.fileno()
        self.reader = frames.Reader(lambda: os.read(wire, 65536))
        self.wire = wire
        self.socket = made

    def send(self, kind, payload):
        data = frames.frame(kind, self.session, payload)
        if len(data) <= SMALL:
            self.write(data)
            return
        # A signal's exception in the middle would leave half a frame.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))
        try:
            self.write(data)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def write(self, data):
        wire = self.wire
        written = os.write(wire, data)
        while written < len(data):
            data = data[written:]
            written = os.write(wire, data)

    def ask(self, request):
        """The answer's bytes. Raises Failed with what the agent raised."""
        with self.lock:
            if self.socket is None:
                self.connect()
            self.asked = asked = self.asked + 1
            number = U32.pack(asked)
            if len(request) > frames.LARGEST - 64:
                raise codec.TooMuch("more than %d bytes for the agent at once" % frames.LARGEST)
            by_signal = None
            try:
                self.send(frames.ASK, number + request)
            except BaseException as error:
                by_signal = error
            while True:
                try:
                    if by_signal is not None:
                        self.send(frames.INTERRUPT, number)
                    found = self.next()
                    break
                except BaseException as error:
                    by_signal = error
            kind, _, payload = found
            if kind == frames.FAILURE:
                if by_signal is not None and payload[4:8] == INTERRUPTED:
                    raise by_signal
                raise Failed(payload[4:])
            # Unless the agent met it and went on, it came when there was nothing left to interrupt.
            if by_signal is not None and payload[4:5] != MET:
                raise by_signal
            return payload[5:]

    def next(self):
        found = self.reader.next()
        if found is None:
            os._exit(1)
        if found[0] == frames.GONE:
            die(found[2])
        return found


class Failed(Exception):
    """What the agent's code raised, as it came."""


INTERRUPTED = U32.pack(0)
MET = b"\1"


def die(payload):
    import json

    end = json.loads(payload)
    number = getattr(signal, str(end.get("signal")), None)
    if number is not None:
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
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

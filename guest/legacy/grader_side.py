"""The grader's side: runs `bash ./bootstrap.sh` as aiVLE's worker does, and carries frames between its processes and the host.

Each process of the bundle that imports the agent connects to a Unix socket and gets a session. The first of them gets the
box's second way to the host with it, if there is one, so that nobody stands between it and the host. What the bundle prints
goes into frames too, so the order of its lines is kept and nothing it prints can be taken for a frame.
"""

import json
import os
import resource
import select
import signal
import socket
import struct
import sys

from lanista_shim import GRADING, OURS, PLACE, frames

CHUNK = 65536


def make_place(config):
    os.mkdir(OURS, 0o700)
    for name in ("modules", "files"):
        with open(os.path.join(OURS, name), "w", encoding="utf-8") as file:
            file.write("\n".join(config[name]))


def python_path():
    """Where `python` is found: beside the interpreter, or, where it is only `python3` there, in a folder of ours."""
    beside = os.path.dirname(sys.executable)
    if os.path.exists(os.path.join(beside, "python")):
        return beside
    ours = os.path.join(OURS, "bin")
    os.mkdir(ours)
    for name in ("python", "python3"):
        os.symlink(sys.executable, os.path.join(ours, name))
    return ours


def start(config, paths, out, err):
    environment = {
        "PATH": python_path() + ":/usr/local/bin:/usr/bin:/bin",
        "HOME": GRADING,
        "TMPDIR": PLACE,
        "LANISTA_PLACE": PLACE,
        "LANG": "C.UTF-8",
        "PYTHONPATH": ":".join(paths),
    }
    for name, value in os.environ.items():
        environment.setdefault(name, value)
    pid = os.fork()
    if pid:
        return pid
    try:
        os.chdir(GRADING)
        os.dup2(out, 1)
        os.dup2(err, 2)
        os.closerange(3, 256)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        size = config["addressSpace"]
        if size is not None:
            resource.setrlimit(resource.RLIMIT_AS, (size, size))
        os.execve("/bin/bash", ["bash", "./bootstrap.sh"], environment)
    finally:
        os._exit(127)


class Relay:
    def __init__(self, reader, channel_in, channel_out, wire):
        self.reader = reader
        self.channel_in = channel_in
        self.channel_out = channel_out
        self.wire = wire
        self.poll = select.poll()
        self.handlers = {}
        self.sessions = {}
        self.count = 0

    def on(self, descriptor, handler):
        self.handlers[descriptor] = handler
        self.poll.register(descriptor, select.POLLIN)

    def off(self, descriptor):
        self.poll.unregister(descriptor)
        del self.handlers[descriptor]

    def send(self, data):
        out = self.channel_out
        written = os.write(out, data)
        while written < len(data):
            data = data[written:]
            written = os.write(out, data)

    def from_host(self):
        data = os.read(self.channel_in, CHUNK)
        if not data:
            os._exit(0)
        reader = self.reader
        if not reader.buffer and len(data) >= 9 and len(data) == 4 + int.from_bytes(data[:4], "little"):
            # One whole frame, as nearly always.
            self.hand_on(int.from_bytes(data[5:9], "little"), data)
            return
        reader.buffer = reader.buffer + data if reader.buffer else data
        while True:
            found = reader.pop()
            if found is None:
                return
            kind, session, payload = found
            self.hand_on(session, frames.frame(kind, session, payload))

    def hand_on(self, session, data):
        connection = self.sessions.get(session)
        if connection is not None:
            try:
                connection.sendall(data)
            except OSError:
                pass  # its process has ended: its own socket says so

    def accept(self, listener):
        connection = listener.accept()[0]
        self.count += 1
        session = self.count
        self.sessions[session] = connection
        wire, self.wire = self.wire, None
        # First of all: its process speaks once it has its number.
        opened = frames.frame(frames.OPEN, session, b"")
        if wire is None:
            self.send(opened)
            rights = []
        else:
            os.write(wire, opened)
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", wire))]
        try:
            connection.sendmsg([struct.pack("<I", session)], rights)
        except OSError:
            pass
        if wire is not None:
            os.close(wire)
        buffer = [b""]

        def readable():
            try:
                data = connection.recv(CHUNK)
            except OSError:
                data = b""
            if not data:
                self.off(connection.fileno())
                del self.sessions[session]
                connection.close()
                self.send(frames.frame(frames.SHUT, session, b""))
                return
            if buffer[0]:
                data = buffer[0] + data
            # Whole frames only: two sessions' must not mix.
            at = 0
            while len(data) - at >= 4:
                end = at + 4 + int.from_bytes(data[at : at + 4], "little")
                if end > len(data):
                    break
                at = end
            if at == len(data):
                self.send(data)
                buffer[0] = b""
                return
            if at:
                self.send(data[:at])
            buffer[0] = data[at:]

        self.on(connection.fileno(), readable)

    def output(self, descriptor, kind):
        def readable():
            data = os.read(descriptor, CHUNK)
            if data:
                self.send(frames.frame(kind, 0, data))
            else:
                self.off(descriptor)

        return readable

    def drain(self, descriptor, kind):
        """What is in the pipe, and no more: a process that holds it open after the end is not waited for."""
        if descriptor not in self.handlers:
            return
        os.set_blocking(descriptor, False)
        try:
            left = 1 << 20
            while left > 0:
                data = os.read(descriptor, CHUNK)
                if not data:
                    return
                left -= len(data)
                self.send(frames.frame(kind, 0, data))
        except BlockingIOError:
            pass


def run(reader, channel_in, channel_out, wire, config, paths):
    make_place(config)
    relay = Relay(reader, channel_in, channel_out, wire)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.path.join(OURS, "host"))
    listener.listen(64)
    out, out_end = os.pipe()
    err, err_end = os.pipe()
    wake, wake_end = os.pipe()
    os.set_blocking(wake_end, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake_end)
    pid = start(config, paths, out_end, err_end)
    os.close(out_end)
    os.close(err_end)
    ended = []

    def child():
        os.read(wake, 512)
        # Others' children come to us when their parents are gone.
        while True:
            try:
                found, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if found == pid:
                ended.append(status)
            elif found == 0:
                return

    relay.on(channel_in, relay.from_host)
    relay.on(listener.fileno(), lambda: relay.accept(listener))
    relay.on(out, relay.output(out, frames.STDOUT))
    relay.on(err, relay.output(err, frames.STDERR))
    relay.on(wake, child)
    handlers = relay.handlers
    while not ended:
        for descriptor, _ in relay.poll.poll():
            handler = handlers.get(descriptor)
            if handler is not None:
                handler()
    relay.drain(out, frames.STDOUT)
    relay.drain(err, frames.STDERR)
    status = ended[0]
    end = {"signal": os.WTERMSIG(status)} if os.WIFSIGNALED(status) else {"code": os.WEXITSTATUS(status)}
    relay.send(frames.frame(frames.END, 0, json.dumps(end).encode()))

"""Builds a set of Python packages inside a box that has no network (docs/packages.md). Python 3.8 or newer.

Theory of operation. The host speaks frames on standard input, this program on standard output; one connection of pipes carries
everything. It listens on the box's own loopback, where uv finds what looks like a package index; each request becomes a frame, and
the host, which alone has a network, answers it or refuses it. When uv has made the environment, its files go out as one archive.

Whatever is installed may run code in this box, as the same user: it may write frames too. So nothing of what goes out of here is
believed further than the set of packages that is being built.

A frame: one byte of kind, four of a stream's number, four of length, then so many bytes.
  from the host   C configuration   H an answer's head   B some of its body   E its end   R it broke off
  to the host     Q a request   A so many bytes taken   X no longer wanted   T some of the archive   D done
"""

import collections
import http.server
import json
import os
import socketserver
import stat
import struct
import subprocess
import sys
import tarfile
import threading

HEAD = struct.Struct(">cII")
CHUNK = 60 * 1024
PLACE = "/tmp/packages"


class Wire:
    def __init__(self, source, sink):
        self.source = source
        self.sink = sink
        self.lock = threading.Lock()

    def send(self, kind, stream=0, data=b""):
        with self.lock:
            self.sink.write(HEAD.pack(kind, stream, len(data)) + data)
            self.sink.flush()

    def receive(self):
        head = self.source.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        kind, stream, length = HEAD.unpack(head)
        return kind, stream, self.source.read(length)


class Answer:
    """What the host has said so far to one request. It sends no more than a window's worth ahead of what was taken."""

    def __init__(self):
        self.frames = collections.deque()
        self.ready = threading.Condition()

    def put(self, frame):
        with self.ready:
            self.frames.append(frame)
            self.ready.notify()

    def take(self):
        with self.ready:
            while not self.frames:
                self.ready.wait()
            return self.frames.popleft()


class Relay:
    def __init__(self, wire):
        self.wire = wire
        self.answers = {}
        self.count = 0
        self.lock = threading.Lock()

    def ask(self, request):
        with self.lock:
            self.count += 1
            stream = self.count
            answer = self.answers[stream] = Answer()
        self.wire.send(b"Q", stream, json.dumps(request).encode())
        return stream, answer

    def forget(self, stream, over):
        with self.lock:
            self.answers.pop(stream, None)
        if not over:
            self.wire.send(b"X", stream)

    def listen(self):
        while True:
            frame = self.wire.receive()
            if frame is None:
                os._exit(3)  # The host has gone.
            kind, stream, data = frame
            with self.lock:
                answer = self.answers.get(stream)
            if answer is not None:
                answer.put((kind, data))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    relay = None

    def do_GET(self):
        names = ("accept", "range")
        headers = {name: self.headers[name] for name in names if self.headers[name] is not None}
        stream, answer = self.relay.ask({"method": self.command, "path": self.path, "headers": headers})
        over = False
        try:
            kind, data = answer.take()
            over = kind != b"H"
            if over:
                self.close_connection = True
                return
            head = json.loads(data)
            self.send_response_only(head["status"])
            for name, value in head["headers"].items():
                self.send_header(name, value)
            if "content-length" not in head["headers"]:
                self.send_header("connection", "close")
                self.close_connection = True
            self.end_headers()
            while True:
                kind, data = answer.take()
                if kind != b"B":
                    over = True
                    # Broken off: the connection is closed before its announced end, so that nobody takes it for whole.
                    self.close_connection = self.close_connection or kind != b"E"
                    return
                if self.command != "HEAD":
                    self.wfile.write(data)
                self.relay.wire.send(b"A", stream, struct.pack(">I", len(data)))
        except OSError:
            self.close_connection = True
        finally:
            self.relay.forget(stream, over)

    do_HEAD = do_GET

    def log_message(self, *words):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, address):
        pass  # uv closes connections as it likes.


def archive(wire):
    """Files, folders and links of the environment; the host takes nothing else."""

    class Out:
        def __init__(self):
            self.buffer = bytearray()

        def write(self, data):
            self.buffer += data
            while len(self.buffer) >= CHUNK:
                wire.send(b"T", 0, bytes(self.buffer[:CHUNK]))
                del self.buffer[:CHUNK]

        def end(self):
            if self.buffer:
                wire.send(b"T", 0, bytes(self.buffer))
            wire.send(b"T", 0, b"")

    out = Out()
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar:
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            for entry in sorted(os.scandir(os.path.join(PLACE, folder)), key=lambda one: one.name):
                name = os.path.join(folder, entry.name)
                found = entry.stat(follow_symlinks=False)
                info = tarfile.TarInfo(name)
                info.mode = found.st_mode & 0o777
                info.mtime = int(found.st_mtime)
                if stat.S_ISDIR(found.st_mode):
                    info.type = tarfile.DIRTYPE
                    tar.addfile(info)
                    waiting.append(name)
                elif stat.S_ISLNK(found.st_mode):
                    info.type = tarfile.SYMTYPE
                    info.linkname = os.readlink(entry.path)
                    tar.addfile(info)
                elif stat.S_ISREG(found.st_mode):
                    info.size = found.st_size
                    with open(entry.path, "rb") as file:
                        tar.addfile(info, file)
    out.end()


def run(words, env):
    """Its words go to our standard error, which the host keeps the end of."""
    return subprocess.run(words, env=env, stdin=subprocess.DEVNULL, stdout=2).returncode


def build(config, port):
    base = "http://127.0.0.1:%d" % port
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp/home",
        "LANG": "C.UTF-8",
        "TMPDIR": "/tmp",
        "UV_CACHE_DIR": "/tmp/cache",
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "hardlink",
        "UV_HTTP_RETRIES": "0",
        "UV_HTTP_TIMEOUT": "300",
        "UV_CONCURRENT_DOWNLOADS": "12",
        "UV_CONCURRENT_BUILDS": "2",
        "UV_COMPILE_BYTECODE_TIMEOUT": "600",
    }
    os.makedirs(env["HOME"], exist_ok=True)
    uv = config["uv"]
    if run([uv, "venv", "--quiet", "--no-project", "--relocatable", "--python", config["python"], PLACE], env) != 0:
        return {"ok": False, "step": "venv"}
    words = [uv, "pip", "install", "--python", PLACE + "/bin/python", "--compile-bytecode"]
    for name in ("requirements", "constraints", "buildConstraints"):
        if config[name]:
            with open("/tmp/%s.txt" % name, "w", encoding="utf-8") as file:
                file.write("\n".join(config[name]) + "\n")
    words += ["--requirements", "/tmp/requirements.txt"]
    if config["constraints"]:
        words += ["--constraints", "/tmp/constraints.txt"]
    if config["buildConstraints"]:
        words += ["--build-constraints", "/tmp/buildConstraints.txt"]
    if config["indexes"] == 0:
        words += ["--no-index"]
    else:
        words += ["--default-index", base + "/i/0/"]
        for number in range(1, config["indexes"]):
            words += ["--index", base + "/i/%d/" % number]
        words += ["--index-strategy", config["strategy"]]
    for folder in config["folders"]:
        words += ["--find-links", folder]
    words += config["flags"]
    if config["requirements"] and run(words, env) != 0:
        return {"ok": False, "step": "install"}
    return {"ok": True}


def main():
    wire = Wire(sys.stdin.buffer, os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    frame = wire.receive()
    if frame is None or frame[0] != b"C":
        sys.exit("no configuration came")
    relay = Handler.relay = Relay(wire)
    threading.Thread(target=relay.listen, daemon=True).start()
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    done = build(json.loads(frame[2]), server.server_address[1])
    if done["ok"]:
        archive(wire)
    wire.send(b"D", 0, json.dumps(done).encode())
    sys.stderr.flush()
    os._exit(0)


main()

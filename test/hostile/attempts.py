"""The frame of the hostile programs: each attempt is a function that raises OSError where it is stopped.

Every attempt runs in a child of its own, so that one that changes, blocks or kills its process spoils no other. The
program prints one JSON object, {name: {"result": …, "note": …}}. The result is "ok" where the attempt succeeded (bad),
an errno's name where it was refused, a signal's name where the process was killed for it, "timeout" where it hung,
and "error" where the attempt itself is broken. The tests know which results are good; nothing is judged here.
"""
import ctypes
import errno
import json
import os
import select
import signal
import sys
import time

SECONDS = 15
_attempts = {}
config = {}


class Absent(Exception):
    """What the attempt aims at is not there at all: a refusal without an errno."""


def attempt(bare=False):
    """Registers an attempt. `bare`: it succeeds, and does no harm, when run as root outside of a sandbox."""

    def register(function):
        _attempts[function.__name__] = (function, bare)
        return function

    return register


def check(returned):
    """The value of a libc call that sets errno; raises OSError where it failed."""
    if returned == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return returned


def _outcome(function):
    try:
        return {"result": "ok", "note": repr(function())[:300]}
    except Absent as absent:
        return {"result": "absent", "note": str(absent)[:300]}
    except OSError as error:
        if error.errno is None:
            return {"result": "timeout" if "timed out" in str(error) else "error", "note": repr(error)[:300]}
        return {"result": errno.errorcode.get(error.errno, str(error.errno)), "note": str(error)[:300]}
    except BaseException as error:  # a broken attempt must be told from a refused one
        return {"result": "error", "note": repr(error)[:300]}


def _run(function, seconds):
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os.write(write_end, json.dumps(_outcome(function)).encode())
        os._exit(0)
    os.close(write_end)
    text = b""
    until = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([read_end], [], [], max(0, until - time.monotonic()))
        piece = os.read(read_end, 65536) if ready else b""
        if not piece:
            break
        text += piece
    late = not ready
    os.close(read_end)
    if late:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if text:
        return json.loads(text)
    if late:
        return {"result": "timeout", "note": f"no result in {seconds} s"}
    if os.WIFSIGNALED(status):
        return {"result": signal.Signals(os.WTERMSIG(status)).name, "note": "killed for it"}
    return {"result": "error", "note": f"ended with {status}"}


def main():
    """argv: the configuration as JSON; then "--bare" to run only what does no harm outside. Or "--list" alone."""
    if sys.argv[1] == "--list":
        print(json.dumps({name: bare for name, (_, bare) in _attempts.items()}))
        return
    config.update(json.loads(sys.argv[1]))
    only_bare = "--bare" in sys.argv
    results = {}
    for name, (function, bare) in _attempts.items():
        if bare or not only_bare:
            results[name] = _run(function, SECONDS)
    print(json.dumps(results), flush=True)

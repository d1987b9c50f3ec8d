"""Leaves processes behind that try to outlive the sandbox. argv: the way; then "exit" or "stay" for the main process.

Prints "ready" with the number of processes that should then be alive, when they are.
"""
import ctypes
import os
import signal
import sys
import time


def say(text):
    os.write(1, (str(text) + "\n").encode())


def daemon(work, sessions=True):
    """A double fork: the grandchild belongs to nobody. Returns when it is up."""
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        if sessions:
            os.setsid()
        if os.fork() == 0:
            os.close(read_end)
            os.write(write_end, b"x")
            os.close(write_end)
            work()
            while True:
                time.sleep(60)
        os._exit(0)
    os.wait()
    os.close(write_end)
    os.read(read_end, 1)
    os.close(read_end)


def forget_output():
    for descriptor in (0, 1, 2):
        os.close(descriptor)


def double_fork():
    daemon(forget_output)
    return 1


def setsid_chain():
    """Session in session in session."""
    for _ in range(5):
        daemon(lambda: (os.setpgid(0, 0) if os.getsid(0) != os.getpid() else None, forget_output()))
    return 5


def ignore_every_signal():
    def work():
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                continue
        signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 32)))
    daemon(work)
    return 1


def stopped_child():
    daemon(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    time.sleep(0.1)
    return 1


def holds_the_output_pipe():
    daemon(lambda: None)
    return 1


def no_parent_death_signal():
    """Clears what a parent-death signal may have been set, and hides its name."""
    def work():
        libc = ctypes.CDLL(None)
        libc.prctl(1, 0, 0, 0, 0)
        libc.prctl(15, b"kworker/0:0", 0, 0, 0)
        forget_output()
    daemon(work)
    return 1


def respawner():
    """A pair that would start each other again."""
    def work():
        forget_output()
        while True:
            child = os.fork()
            if child == 0:
                while os.getppid() != 1:
                    time.sleep(0.02)
                continue
            os.waitpid(child, 0)
    daemon(work)
    time.sleep(0.1)
    return 2


def traps_termination():
    """Forks one more at every signal that it can catch."""
    def work():
        forget_output()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGCONT):
            signal.signal(number, lambda *_: os.fork())
    daemon(work)
    return 1


def many():
    for _ in range(8):
        daemon(forget_output)
    return 8


if __name__ == "__main__":
    alive = globals()[sys.argv[1]]()
    say(f"ready {alive + 1}")
    if sys.argv[2] == "stay":
        while True:
            time.sleep(60)

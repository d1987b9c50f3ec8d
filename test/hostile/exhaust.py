"""Uses up one thing, up to an amount, then says how far it came and ends well: argv is the thing and the amount.

So the same program shows both sides: under a tight limit it is ended, under a roomy one it reaches its amount and exits
with 0. Nothing here goes on for ever, so that a wall that does not stand costs the host no more than the amount.
"""
import ctypes
import errno
import mmap
import os
import signal
import socket
import sys
import threading
import time

MiB = 1 << 20
libc = ctypes.CDLL(None, use_errno=True)
kept = []


def say(text):
    os.write(1, (str(text) + "\n").encode())


def fork_bomb(count):
    """Every process forks; refusals are ignored, as a bomb does. A shared page counts those that came to life."""
    alive = mmap.mmap(-1, 4096)
    born = 0
    for _ in range(count):
        try:
            if os.fork() == 0:
                signal.pause()
                os._exit(0)
            born += 1
        except OSError:
            time.sleep(0.001)
    alive.close()
    say(born)


def fork_tree(count):
    """Children that fork children, `count` generations deep, each in a session of its own."""
    for generation in range(count):
        try:
            if os.fork() != 0:
                if generation == 0:
                    break
                signal.pause()
            os.setsid()
        except OSError:
            time.sleep(0.01)
    else:
        say("the last generation")
        os._exit(0)
    time.sleep(2)


def threads(count):
    for _ in range(count):
        try:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
        except (RuntimeError, MemoryError):
            time.sleep(0.001)
    say(threading.active_count() - 1)
    os._exit(0)


def malloc(amount):
    for _ in range(amount // MiB):
        kept.append(b"x" * MiB)
    say(len(kept))


def anonymous_mmap(amount):
    area = mmap.mmap(-1, amount)
    for start in range(0, amount, 4096):
        area[start] = 1
    say(amount // MiB)


def memory_in_children(amount):
    """Each child alone stays small."""
    for _ in range(8):
        if os.fork() == 0:
            kept.append(b"x" * (amount // 8))
            time.sleep(1.5)
            os._exit(0)
    for _ in range(8):
        os.wait()
    say(amount // MiB)


def write_file(path, amount):
    with open(path, "wb", buffering=0) as file:
        piece = b"x" * MiB
        written = 0
        while written < amount:
            try:
                written += file.write(piece[: min(MiB, amount - written)])
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                say("ENOSPC")
                time.sleep(1)
                return
    say(written // MiB)


def tmpfs(amount):
    write_file("/tmp/large", amount)


def tmpfs_deleted(amount):
    """The file has no name any more, but its bytes are there."""
    file = open("/tmp/large", "wb", buffering=0)
    os.unlink("/tmp/large")
    for _ in range(amount // MiB):
        try:
            file.write(b"x" * MiB)
        except OSError:
            time.sleep(1)
            return
    say(amount // MiB)


def tmpfs_sparse(amount):
    """Asks for all of it at once: where that is refused nothing was used up, so it is no end."""
    file = os.open("/tmp/large", os.O_CREAT | os.O_RDWR)
    try:
        os.posix_fallocate(file, 0, amount)
    except OSError as error:
        say(errno.errorcode[error.errno])
        return
    say(amount // MiB)


def shared_memory(amount):
    """Not an end: /dev/shm is as large as it is, and then full."""
    try:
        with open("/dev/shm/large", "wb", buffering=0) as file:
            for done in range(amount // MiB):
                if file.write(b"x" * MiB) != MiB:
                    raise OSError(errno.ENOSPC, "a part was written")
    except OSError as error:
        say(f"{errno.errorcode[error.errno]} {done}")
        return
    say(amount // MiB)


def memory_file(amount):
    descriptor = libc.memfd_create(b"x", 0)
    for done in range(amount // MiB):
        if os.write(descriptor, b"x" * MiB) != MiB:
            break
    say(amount // MiB)


def socket_buffers(amount):
    """Kernel memory: what lies unread in sockets."""
    held = 0
    while held < amount:
        one, other = socket.socketpair()
        one.setblocking(False)
        kept.append((one, other))
        try:
            while True:
                held += one.send(b"x" * 65536)
        except BlockingIOError:
            pass
    say(held // MiB)


def page_cache(amount):
    """Reads a file larger than the memory limit, by read and by mmap: the cache must make room, not the host pay."""
    done = 0
    with open("/data/large", "rb", buffering=0) as file:
        while done < amount:
            piece = file.read(MiB)
            if not piece:
                break
            done += len(piece)
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as area:
            total = sum(area[start] for start in range(0, len(area), 4096))
    say(f"{done // MiB} {total}")


def inodes(count):
    os.mkdir("/tmp/many")
    made = 0
    for number in range(count):
        try:
            os.close(os.open(f"/tmp/many/{number}", os.O_CREAT | os.O_WRONLY))
            made += 1
        except OSError as error:
            say(errno.errorcode[error.errno])
            time.sleep(1)
            return
    say(made)


def folders(count):
    path = "/tmp"
    for number in range(count):
        path += "/d"
        try:
            os.mkdir(path)
        except OSError as error:
            say(errno.errorcode[error.errno])
            time.sleep(1)
            return
    say(count)


def descriptors(count):
    """Not an end: the next open fails, and the program may go on."""
    opened = 0
    try:
        while opened < count:
            kept.append(os.open("/dev/null", os.O_RDONLY))
            opened += 1
    except OSError as error:
        say(f"{errno.errorcode[error.errno]} {opened}")
        return
    say(opened)


def descriptors_in_children(count):
    """Children bring limits of their own: what all hold together is bounded by both."""
    for _ in range(8):
        if os.fork() == 0:
            opened = 0
            try:
                while opened < count:
                    kept.append(os.open("/dev/null", os.O_RDONLY))
                    opened += 1
            except OSError:
                pass
            say(opened)
            os._exit(0)
    for _ in range(8):
        os.wait()


def flood(descriptor, amount):
    piece = b"x" * 65535 + b"\n"
    written = 0
    while written < amount:
        written += os.write(descriptor, piece)
    return written


def stdout(amount):
    flood(1, amount)


def stderr(amount):
    flood(2, amount)
    say("all written")


def stderr_one_line(amount):
    """A log line without an end."""
    written = 0
    while written < amount:
        written += os.write(2, b"x" * 65536)
    say("all written")


def both_outputs(amount):
    for _ in range(amount // 131072):
        os.write(1, b"x" * 65536)
        os.write(2, b"y" * 65536)


def busy(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    say("done")


def busy_children(seconds):
    """CPU time is that of all processes together, whoever burnt it."""
    for _ in range(3):
        if os.fork() == 0:
            busy(seconds / 3)
            os._exit(0)
    for _ in range(3):
        os.wait()
    say("done")


def busy_dead_children(seconds):
    """As above, by children that each live for a moment."""
    until = seconds
    while until > 0:
        if os.fork() == 0:
            end = time.process_time() + 0.05
            while time.process_time() < end:
                pass
            os._exit(0)
        os.wait()
        until -= 0.05
    say("done")


def sleep(seconds):
    time.sleep(seconds)
    say("done")


def one_byte_a_second(seconds):
    for _ in range(int(seconds)):
        os.write(1, b"x")
        time.sleep(1)
    say("done")


def deaf(seconds):
    """Never reads its input, which the host goes on writing."""
    say("deaf")
    time.sleep(seconds)


def closes_output(seconds):
    os.close(1)
    os.close(2)
    time.sleep(seconds)


if __name__ == "__main__":
    thing, amount = sys.argv[1], float(sys.argv[2])
    globals()[thing](amount if not amount.is_integer() else int(amount))

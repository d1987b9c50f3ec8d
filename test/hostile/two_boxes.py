"""Two sandboxes try to pass each other a signal. One runs `hold`, the other `probe`, or one program does `both`.

`hold` takes everything it can (locks, names, keys, counted things), prints {method: "ok" or errno} and then, at each line
it reads, touches files for whoever may be watching. `probe` first sets its watches, prints "watching", and at a line on
its standard input looks for what the holder left, printing {method: {"result": …}} as the other programs do; "ok" means
that the signal arrived. `both` does the two in one sandbox: the proof that a signal would have been seen.

Configuration: `word` (a name no one else uses), `files` (more files that both may see).
"""
import ctypes
import errno
import fcntl
import json
import os
import select
import socket
import struct
import sys

from attempts import Absent, _outcome, check, config
from syscalls import libc, syscall

INTERPRETER = os.path.realpath("/proc/self/exe")
FILES = [
    INTERPRETER, os.path.realpath(__file__), os.path.dirname(os.path.realpath(__file__)), "/", "/usr", "/usr/bin",
    "/usr/lib", "/usr/lib/os-release", "/usr/bin/env", "/usr/share", "/etc", "/etc/passwd", "/etc/hosts",
    "/etc/ld.so.cache", "/etc/alternatives", "/etc/resolv.conf", "/bin", "/lib", "/lib64", "/agent", "/guest", "/tmp",
    "/var", "/run", "/home", "/dev", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
    "/dev/ptmx", "/dev/pts", "/dev/shm", "/dev/mqueue", "/proc", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat",
    "/proc/uptime", "/proc/locks", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/scsi",
    "/proc/acpi", "/proc/irq", "/proc/bus", "/proc/fs", "/proc/sys", "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/random/boot_id", "/proc/sys/fs/file-nr", "/proc/sysrq-trigger", "/proc/1/status", "/sys",
    "/sys/firmware", "/sys/fs/cgroup", "/sys/kernel", "/sys/devices", "/sys/block",
    "/proc/self/ns/user", "/proc/self/ns/time", "/proc/self/ns/cgroup", "/proc/self/ns/net", "/proc/self/ns/ipc",
    "/proc/self/ns/uts", "/proc/self/ns/mnt", "/proc/self/ns/pid", "/proc/self/cwd", "/proc/self/root",
]
KEY = 0x1A217A02
held = []


def lockables():
    """(name, descriptor) of all that can carry a lock: files, and the inodes that the kernel gives to descriptors."""
    for path in FILES + config.get("files", []):
        try:
            yield path, os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError:
            continue
    mask = ctypes.create_string_buffer(8)
    for name, make in (("epoll", lambda: libc.epoll_create1(0)), ("eventfd", lambda: libc.eventfd(0, 0)),
                       ("timerfd", lambda: libc.timerfd_create(1, 0)), ("inotify", lambda: libc.inotify_init1(0)),
                       ("signalfd", lambda: libc.signalfd(-1, mask, 0)), ("pidfd", lambda: syscall("pidfd_open", 1, 0)),
                       ("memfd", lambda: libc.memfd_create(b"x", 0)), ("stdin", lambda: os.dup(0)),
                       ("stderr", lambda: os.dup(2))):
        try:
            yield name, check(make())
        except OSError:
            continue


def lock_word(kind):
    return struct.pack("hhqqi", kind, 0, 0, 0, 0)


def hold_over_all(take):
    """Takes all it can; raises the first refusal where it gets none."""
    taken, refused = [], None
    for name, descriptor in lockables():
        try:
            take(descriptor)
            taken.append(name)
            held.append(descriptor)
        except OSError as error:
            refused = refused or error
            os.close(descriptor)
    if not taken:
        raise refused or OSError(errno.ENOENT, "nothing to take")
    return taken


def probe_over_all(is_taken):
    seen, refused, tried = [], None, 0
    for name, descriptor in lockables():
        try:
            tried += 1
            if is_taken(descriptor):
                seen.append(name)
        except OSError as error:
            refused = error
        os.close(descriptor)
    if seen:
        return seen
    raise Absent(f"free: {tried} things tried, last refusal {refused}")


def is_flocked(descriptor):
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def is_locked_by(command):
    def look(descriptor):
        return struct.unpack("hhqqi", fcntl.fcntl(descriptor, command, lock_word(fcntl.F_WRLCK)))[0] != fcntl.F_UNLCK

    return look


# --- named and counted things ----------------------------------------------------------------------------------------

def hold_socket(family, address):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.bind(address)
    server.listen()
    held.append(server)


def probe_socket(family, address):
    client = socket.socket(family, socket.SOCK_STREAM)
    client.settimeout(1)
    client.connect(address)


def write_file(path):
    with open(path, "w") as file:
        file.write(config["word"])


def read_file(path):
    with open(path) as file:
        if config["word"] not in file.read():
            raise Absent("another file")


def hold_descriptors(make, count):
    for _ in range(count):
        held.append(make())
    return count


def counter(path, field, least):
    """Reads a number of the kernel's before (kept by `watch`) and after: did the holder move it?"""

    def read():
        with open(path) as file:
            return int(file.read().split()[field])

    def watch():
        try:
            before[path] = read()
        except OSError:
            before[path] = None

    def probe():
        now = read()
        if before[path] is None or now - before[path] < least:
            raise Absent(f"{before[path]} then {now}")
        return before[path], now

    return watch, probe


before = {}


def hold_posix_queue():
    held.append(check(libc.mq_open(("/" + config["word"]).encode(), os.O_CREAT | os.O_RDWR, 0o666, 0)))


def hold_ofd_locks():
    """Locks that belong to an open file show in /proc/locks with no process to hide them by."""
    path = "/tmp/" + config["word"] + "-locks"
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    for start in range(0, 400, 4):
        fcntl.fcntl(file, 37, struct.pack("hhqqi", fcntl.F_WRLCK, 0, start, 1, 0))
    held.append(file)


def count_locks():
    with open("/proc/locks") as file:
        return len(file.readlines())


def watch_locks():
    try:
        before["locks"] = count_locks()
    except OSError:
        before["locks"] = None


def probe_ofd_locks():
    now = count_locks()
    if before["locks"] is None or now - before["locks"] < 90:
        raise Absent(f"{before['locks']} then {now} lines")
    return now


def hold_inotify_instances():
    """A count kept for each user: full for one sandbox, full for every one with the same user."""
    count = 0
    try:
        while count < 4096:
            held.append(check(libc.inotify_init1(0)))
            count += 1
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
    return count


def probe_inotify_instances():
    try:
        os.close(check(libc.inotify_init1(0)))
    except OSError as error:
        if error.errno == errno.EMFILE:
            return "no inotify instance left"
        raise
    raise Absent("instances are left")


def hold_pseudo_terminals():
    for _ in range(20):
        held.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))


def probe_pseudo_terminals():
    names = [name for name in os.listdir("/dev/pts") if name.isdigit()]
    if len(names) < 20:
        raise Absent(str(names))
    return names


watch_ptys, probe_ptys = counter("/proc/sys/kernel/pty/nr", 0, 20)
watch_aio, probe_aio = counter("/proc/sys/fs/aio-nr", 0, 1000)


def hold_aio():
    place = ctypes.c_ulong(0)
    return syscall("io_setup", 4000, ctypes.byref(place))


def lease_files():
    return ["/tmp/" + config["word"] + "-lease"] + FILES + config.get("files", [])


def hold_lease():
    """Write leases: whoever opens such a file waits until its holder gives it up."""
    os.close(os.open(lease_files()[0], os.O_CREAT | os.O_WRONLY, 0o644))
    taken, refused = [], None
    for path in lease_files():
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            fcntl.fcntl(descriptor, fcntl.F_SETSIG, 0)
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
            taken.append(path)
            held.append(descriptor)
        except OSError as error:
            refused = refused or error
    if not taken:
        raise refused
    return taken


def probe_lease():
    tried = 0
    for path in lease_files():
        try:
            tried += 1
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        except BlockingIOError:
            return path
        except OSError:
            continue
    raise Absent(f"none of {tried} files is leased")


# --- watches ---------------------------------------------------------------------------------------------------------

watches = {}


def watch_inotify():
    descriptor = check(libc.inotify_init1(os.O_NONBLOCK))
    names = {}
    for path in FILES + config.get("files", []):
        # /dev/null and its like are opened by everybody all the time; within one sandbox that is no signal either way.
        number = libc.inotify_add_watch(descriptor, path.encode(), 0x3FF)
        if number >= 0:
            names[number] = path
    watches["inotify"] = (descriptor, names)


def probe_inotify():
    descriptor, names = watches["inotify"]
    if not names:
        raise OSError(errno.EPERM, "no file can be watched")
    seen = set()
    while select.select([descriptor], [], [], 0.2)[0]:
        data = os.read(descriptor, 65536)
        while data:
            number, _, _, size = struct.unpack("iIII", data[:16])
            seen.add(names.get(number, "?"))
            data = data[16 + size:]
    if not seen:
        raise Absent(f"nothing happened to {len(names)} files")
    return sorted(seen)


def watch_dnotify():
    import signal
    watches["dnotify"] = 0

    def count(_number, _frame):
        watches["dnotify"] += 1

    signal.signal(signal.SIGIO, count)
    for path in ("/usr", "/usr/lib", "/usr/bin", os.path.dirname(INTERPRETER), os.path.dirname(__file__)):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.fcntl(folder, fcntl.F_NOTIFY, 0x80000000 - 2**32 | 0x21)  # DN_MULTISHOT | DN_ACCESS | DN_ATTRIB
        held.append(folder)


def probe_dnotify():
    if watches["dnotify"] == 0:
        raise Absent("no signal came")
    return watches["dnotify"]


def watch_fanotify():
    descriptor = syscall("fanotify_init", 0x202, os.O_RDONLY)
    for path in (b"/usr", b"/usr/bin/env", INTERPRETER.encode()):
        check(libc.fanotify_mark(descriptor, 1, ctypes.c_uint64(0x08000021), -100, path))
    watches["fanotify"] = descriptor


def probe_fanotify():
    descriptor = watches["fanotify"]
    if not select.select([descriptor], [], [], 0.2)[0]:
        raise Absent("nothing happened")
    return len(os.read(descriptor, 65536))


def touch():
    for path in FILES + config.get("files", []):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
            try:
                os.listdir(descriptor) if os.path.isdir(path) else os.read(descriptor, 1)
            except OSError:
                pass
            os.close(descriptor)
        except OSError:
            continue
    for path in ("/dev/null", "/dev/zero"):
        with open(path, "wb") as file:
            file.write(b"x")


WATCHES = ("inotify", "dnotify", "fanotify")


def forget_own_events():
    """What this program did itself since it began to watch."""
    for name in ("inotify", "fanotify"):
        if name in watches:
            descriptor = watches[name][0] if name == "inotify" else watches[name]
            while select.select([descriptor], [], [], 0.05)[0]:
                os.read(descriptor, 65536)
    watches["dnotify"] = 0


def nothing():
    pass


def word(prefix):
    return prefix + config["word"]


# method: (hold, watch, probe)
METHODS = {
    "flock": (lambda: hold_over_all(lambda fd: fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)), nothing,
              lambda: probe_over_all(is_flocked)),
    "posix_lock": (lambda: hold_over_all(lambda fd: fcntl.fcntl(fd, fcntl.F_SETLK, lock_word(fcntl.F_RDLCK))), nothing,
                   lambda: probe_over_all(is_locked_by(fcntl.F_GETLK))),
    "open_file_lock": (lambda: hold_over_all(lambda fd: fcntl.fcntl(fd, 37, lock_word(fcntl.F_RDLCK))), nothing,
                       lambda: probe_over_all(is_locked_by(36))),
    "lease": (hold_lease, nothing, probe_lease),
    "proc_locks": (hold_ofd_locks, watch_locks, probe_ofd_locks),
    "inotify": (nothing, watch_inotify, probe_inotify),
    "dnotify": (nothing, watch_dnotify, probe_dnotify),
    "fanotify": (nothing, watch_fanotify, probe_fanotify),
    "inotify_instances": (hold_inotify_instances, nothing, probe_inotify_instances),
    "sysv_memory": (lambda: syscall("shmget", KEY, 4096, 0o1666), nothing, lambda: syscall("shmget", KEY, 0, 0)),
    "sysv_semaphore": (lambda: syscall("semget", KEY, 1, 0o1666), nothing, lambda: syscall("semget", KEY, 0, 0)),
    "sysv_queue": (lambda: syscall("msgget", KEY, 0o1666), nothing, lambda: syscall("msgget", KEY, 0)),
    "posix_memory": (lambda: write_file(word("/dev/shm/")), nothing, lambda: read_file(word("/dev/shm/"))),
    "posix_queue": (hold_posix_queue, nothing, lambda: check(libc.mq_open(word("/").encode(), os.O_RDWR))),
    "tmp_file": (lambda: write_file(word("/tmp/")), nothing, lambda: read_file(word("/tmp/"))),
    "var_tmp_file": (lambda: write_file(word("/var/tmp/")), nothing, lambda: read_file(word("/var/tmp/"))),
    "abstract_socket": (lambda: hold_socket(socket.AF_UNIX, word("\0")), nothing,
                        lambda: probe_socket(socket.AF_UNIX, word("\0"))),
    "path_socket": (lambda: hold_socket(socket.AF_UNIX, word("/tmp/s-")), nothing,
                    lambda: probe_socket(socket.AF_UNIX, word("/tmp/s-"))),
    "loopback_socket": (lambda: hold_socket(socket.AF_INET, ("127.0.0.1", 47_391)), nothing,
                        lambda: probe_socket(socket.AF_INET, ("127.0.0.1", 47_391))),
    "keyring": (lambda: syscall("add_key", b"user", word("k").encode(), b"1", 1, -4), nothing,
                lambda: syscall("keyctl", 10, -4, b"user", word("k").encode(), 0)),
    "pseudo_terminals": (hold_pseudo_terminals, nothing, probe_pseudo_terminals),
    "pseudo_terminal_count": (nothing, watch_ptys, probe_ptys),
    "aio_count": (hold_aio, watch_aio, probe_aio),
    "process_seen": (nothing, nothing, lambda: process_of_other()),
}


def process_of_other():
    """Is the holder (another process with `hold` among its arguments) to be seen in /proc?"""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                if "hold" in file.read().split("\0") and int(pid) != os.getpid():
                    return pid
        except OSError:
            continue
    raise Absent("not seen")


def say(value):
    print(json.dumps(value), flush=True)


def do_hold():
    say({name: _outcome(hold) for name, (hold, _, _) in METHODS.items()})
    for _ in sys.stdin:
        touch()
        say("touched")


def do_probe():
    refused = {}
    for name, (_, watch, _) in METHODS.items():
        outcome = _outcome(watch)
        if outcome["result"] != "ok":
            refused[name] = outcome
    forget_own_events()
    say("watching")
    sys.stdin.readline()
    # The watches first: what the other probes open would be seen by them.
    found = {name: refused.get(name) or _outcome(METHODS[name][2]) for name in WATCHES}
    rest = {name: refused.get(name) or _outcome(METHODS[name][2]) for name in METHODS if name not in WATCHES}
    say({**found, **rest})


def do_both():
    import subprocess
    arguments = [sys.executable, "-B", __file__, sys.argv[1]]
    prober, holder = (subprocess.Popen(arguments + [role], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                      for role in ("probe", "hold"))
    prober.stdout.readline()
    held_there = json.loads(holder.stdout.readline())
    holder.stdin.write("\n")
    holder.stdin.flush()
    holder.stdout.readline()
    prober.stdin.write("\n")
    prober.stdin.flush()
    say({"hold": held_there, "probe": json.loads(prober.stdout.readline())})
    for child in (prober, holder):
        child.kill()
        child.wait()


if __name__ == "__main__":
    config.update(json.loads(sys.argv[1]))
    {"hold": do_hold, "probe": do_probe, "both": do_both}[sys.argv[2]]()

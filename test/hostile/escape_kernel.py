"""Asks the kernel for what a sandboxed program has no business with: one attempt a system call or privilege.

Where an attempt would do harm if it succeeded outside (a module, a reboot, the clock), its arguments are such that even
success changes nothing, and it is not among those run bare.
"""
import ctypes
import errno
import fcntl
import mmap
import os
import pty
import resource
import signal
import struct
import sys
import termios
import time

from attempts import Absent, attempt, check, config, main
from syscalls import libc, machine, raw, syscall

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80


def child_that_waits():
    """A child, and where in its memory (and in this one's) a secret stands."""
    place = ctypes.create_string_buffer(b"the child's secret")
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return pid, place


def with_child(function):
    pid, place = child_that_waits()
    try:
        return function(pid, place)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


# --- other processes -------------------------------------------------------------------------------------------------

@attempt(bare=True)
def ptrace_attach_child():
    return with_child(lambda pid, _: syscall("ptrace", 16, pid, 0, 0))


@attempt(bare=True)
def ptrace_seize_child():
    return with_child(lambda pid, _: syscall("ptrace", 0x4206, pid, 0, 0))


@attempt(bare=True)
def ptrace_traceme():
    return syscall("ptrace", 0, 0, 0, 0)


@attempt()
def ptrace_attach_first_process():
    return syscall("ptrace", 0x4206, 1, 0, 0)


def _vectors(address, size):
    vector = struct.pack("PN", address, size)
    return ctypes.create_string_buffer(vector, len(vector))


@attempt(bare=True)
def process_vm_readv():
    def read(pid, place):
        into = ctypes.create_string_buffer(18)
        syscall("process_vm_readv", pid, _vectors(ctypes.addressof(into), 18), 1,
                _vectors(ctypes.addressof(place), 18), 1, 0)
        return into.raw
    return with_child(read)


@attempt(bare=True)
def process_vm_writev():
    def write(pid, place):
        return syscall("process_vm_writev", pid, _vectors(ctypes.addressof(place), 4), 1,
                       _vectors(ctypes.addressof(place), 4), 1, 0)
    return with_child(write)


@attempt(bare=True)
def pidfd_getfd():
    return with_child(lambda pid, _: syscall("pidfd_getfd", syscall("pidfd_open", pid, 0), 1, 0))


@attempt(bare=True)
def process_madvise():
    def advise(pid, place):
        page = ctypes.addressof(place) & ~4095
        return syscall("process_madvise", syscall("pidfd_open", pid, 0), _vectors(page, 4096), 1, 20, 0)
    return with_child(advise)


@attempt(bare=True)
def kcmp():
    return with_child(lambda pid, _: syscall("kcmp", pid, os.getpid(), 1, 0, 0))


@attempt(bare=True)
def move_pages_of_child():
    return with_child(lambda pid, _: syscall("move_pages", pid, 0, 0, 0, 0, 0))


# --- namespaces and mounts -------------------------------------------------------------------------------------------

def unsharing(name, flag):
    def function():
        return syscall("unshare", flag)

    function.__name__ = name
    attempt(bare=True)(function)


for _name, _flag in (("unshare_user", CLONE_NEWUSER), ("unshare_mount", CLONE_NEWNS), ("unshare_net", CLONE_NEWNET),
                     ("unshare_pid", CLONE_NEWPID), ("unshare_ipc", CLONE_NEWIPC), ("unshare_uts", CLONE_NEWUTS),
                     ("unshare_cgroup", CLONE_NEWCGROUP), ("unshare_user_and_net", CLONE_NEWUSER | CLONE_NEWNET)):
    unsharing(_name, _flag)


@attempt(bare=True)
def clone_user_namespace():
    pid = syscall("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@attempt(bare=True)
def clone3_user_namespace():
    """clone3 hides its flags behind a pointer, where a filter cannot look: it must be refused as a whole."""
    arguments = struct.pack("=8Q", CLONE_NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = syscall("clone3", arguments, len(arguments))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


@attempt(bare=True)
def setns_into_own_namespace():
    return syscall("setns", os.open("/proc/self/ns/uts", os.O_RDONLY), 0)


@attempt(bare=True)
def mount_tmpfs():
    return syscall("mount", b"none", b"/tmp", b"tmpfs", 0, 0)


@attempt(bare=True)
def mount_bind():
    return syscall("mount", b"/usr", b"/tmp", 0, 0x1000, 0)


@attempt()
def mount_remount_writable():
    return syscall("mount", b"none", b"/", 0, 0x20 | 0x1000, 0)


@attempt(bare=True)
def mount_proc():
    return syscall("mount", b"proc", b"/tmp", b"proc", 0, 0)


@attempt(bare=True)
def umount_a_mask():
    """What a runtime laid over /proc's dangerous files must not come off; bare, a mount of its own serves."""
    if "--bare" not in sys.argv:
        return syscall("umount2", b"/proc/kcore", 2)
    syscall("mount", b"none", b"/tmp", b"tmpfs", 0, 0)
    return syscall("umount2", b"/tmp", 2)


@attempt()
def umount_proc():
    return syscall("umount2", b"/proc", 2)


@attempt()
def pivot_root():
    return syscall("pivot_root", b"/tmp", b"/tmp")


@attempt(bare=True)
def chroot():
    return syscall("chroot", b"/tmp")


@attempt(bare=True)
def chroot_escape():
    """The classic: chroot into a folder, keep a descriptor outside, climb."""
    out = os.open("/", os.O_RDONLY)
    syscall("chroot", b"/tmp")
    os.fchdir(out)
    for _ in range(16):
        os.chdir("..")
    syscall("chroot", b".")
    return os.listdir("/")


@attempt(bare=True)
def fsopen():
    return syscall("fsopen", b"tmpfs", 0)


@attempt(bare=True)
def open_tree():
    return syscall("open_tree", -100, b"/", 1)


@attempt()
def move_mount():
    return syscall("move_mount", -100, b"/tmp", -100, b"/tmp", 0)


@attempt(bare=True)
def fspick():
    """/proc is a mount everywhere; the call refuses any other folder by itself."""
    return syscall("fspick", -100, b"/proc", 0)


@attempt()
def mount_setattr():
    return syscall("mount_setattr", -100, b"/", 0, struct.pack("4Q", 0, 1, 0, 0), 32)


@attempt(bare=True)
def open_by_handle():
    """A file handle names an inode past every mount (the "shocker" escape)."""
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    syscall("name_to_handle_at", -100, b"/", handle, ctypes.byref(mount), 0)
    return syscall("open_by_handle_at", os.open("/", os.O_RDONLY), handle, os.O_RDONLY)


@attempt()
def open_by_handle_guessed():
    """As above, with the handle that an ext4 root folder has everywhere."""
    handle = struct.pack("IiII", 8, 1, 2, 0)
    return syscall("open_by_handle_at", os.open("/", os.O_RDONLY), handle, os.O_RDONLY)


# --- the kernel's large doors ----------------------------------------------------------------------------------------

@attempt(bare=True)
def bpf_map_create():
    attributes = struct.pack("=4I", 2, 4, 4, 1).ljust(72, b"\0")
    return syscall("bpf", 0, attributes, len(attributes))


@attempt()
def bpf_prog_load():
    program = struct.pack("=BBhi", 0xB7, 0, 0, 0) + struct.pack("=BBhi", 0x95, 0, 0, 0)
    code, licence = ctypes.create_string_buffer(program), ctypes.create_string_buffer(b"GPL")
    attributes = struct.pack("=IIQQ", 1, 2, ctypes.addressof(code), ctypes.addressof(licence)).ljust(72, b"\0")
    return syscall("bpf", 5, attributes, len(attributes))


@attempt(bare=True)
def perf_event_open():
    attributes = struct.pack("=IIQ", 1, 128, 0).ljust(128, b"\0")
    return syscall("perf_event_open", attributes, 0, -1, -1, 0)


@attempt(bare=True)
def userfaultfd():
    return syscall("userfaultfd", os.O_CLOEXEC)


@attempt()
def userfaultfd_user_mode_only():
    return syscall("userfaultfd", os.O_CLOEXEC | 1)


@attempt(bare=True)
def io_uring_setup():
    return syscall("io_uring_setup", 4, bytes(120))


@attempt(bare=True)
def keyctl_get_keyring():
    return syscall("keyctl", 0, -3, 1, 0, 0)


@attempt()
def keyctl_join_session():
    return syscall("keyctl", 1, b"lanista", 0, 0, 0)


@attempt(bare=True)
def add_key():
    return syscall("add_key", b"user", b"lanista", b"secret", 6, -2)


@attempt()
def request_key():
    return syscall("request_key", b"user", b"lanista", 0, -2)


@attempt()
def kexec_load():
    return syscall("kexec_load", 0, 0, 0, 0xFFFF)


@attempt()
def kexec_file_load():
    return syscall("kexec_file_load", -1, -1, 0, 0, 0)


@attempt()
def init_module():
    return syscall("init_module", b"", 0, b"")


@attempt()
def finit_module():
    return syscall("finit_module", os.open("/proc/self/exe", os.O_RDONLY), b"", 0)


@attempt()
def delete_module():
    return syscall("delete_module", b"lanista_no_such_module", os.O_NONBLOCK)


@attempt()
def reboot():
    """Asks only that Ctrl-Alt-Del shall work."""
    return syscall("reboot", 0xFEE1DEAD, 672274793, 0x89ABCDEF, 0)


@attempt()
def swapon():
    return syscall("swapon", b"/dev/zero", 0)


@attempt()
def acct():
    return syscall("acct", b"/tmp/accounting")


@attempt()
def clock_settime():
    now = time.time_ns()
    return syscall("clock_settime", 0, struct.pack("qq", now // 10**9, now % 10**9))


@attempt()
def settimeofday():
    now = time.time()
    return syscall("settimeofday", struct.pack("qq", int(now), 0), 0)


@attempt()
def clock_adjtime():
    """mode ADJ_TICK, with the tick the clock has anyway."""
    return syscall("clock_adjtime", 0, struct.pack("=I", 0x4000).ljust(88, b"\0") + struct.pack("q", 10000).ljust(120))


@attempt(bare=True)
def sethostname():
    return syscall("sethostname", b"lanista", 7)


@attempt(bare=True)
def setdomainname():
    return syscall("setdomainname", b"lanista", 7)


@attempt(bare=True)
def kernel_log():
    return syscall("syslog", 3, ctypes.create_string_buffer(4096), 4096)


@attempt()
def quotactl():
    return syscall("quotactl", 0x80000200, b"/dev/vda", 0, 0)


@attempt()
def iopl():
    return syscall("iopl", 3)


@attempt()
def ioperm():
    return syscall("ioperm", 0x80, 1, 1)


@attempt()
def modify_ldt():
    return syscall("modify_ldt", 1, struct.pack("=IIII", 0, 0, 0xFFFFF, 0x51), 16)


@attempt(bare=True)
def vhangup():
    """Of a session without a terminal: even where it is allowed it hangs up nothing."""
    os.setsid()
    return syscall("vhangup")


@attempt()
def uselib():
    return syscall("uselib", b"/usr/lib/os-release")


@attempt()
def lookup_dcookie():
    return syscall("lookup_dcookie", 0, ctypes.create_string_buffer(64), 64)


@attempt(bare=True)
def fanotify_init():
    return syscall("fanotify_init", 0, 0)


@attempt(bare=True)
def fanotify_init_unprivileged():
    return syscall("fanotify_init", 0x200, 0)


@attempt()
def memfd_secret():
    """Memory that the kernel cannot swap, dump or count in the usual way."""
    return syscall("memfd_secret", 0)


@attempt()
def personality_read_implies_exec():
    return syscall("personality", 0x0400000)


@attempt()
def personality_no_randomisation():
    return syscall("personality", 0x0040000)


# --- other ways into the kernel --------------------------------------------------------------------------------------

@attempt()
def syscall_32_bit():
    """int 0x80 takes the 32-bit table, whose numbers mean other calls: 20 is getpid there, writev here."""
    if machine() != "x86_64":
        raise Absent("this machine has no int 0x80")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\x53\xb8\x14\x00\x00\x00\xcd\x80\x5b\xc3")  # push rbx; mov eax,20; int 0x80; pop rbx; ret
    got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    if got < 0:
        raise OSError(-got, os.strerror(-got))
    return got


@attempt()
def syscall_32_bit_forbidden():
    """unshare(CLONE_NEWUSER) by its 32-bit number, 310."""
    if machine() != "x86_64":
        raise Absent("this machine has no int 0x80")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # push rbx; mov eax,310; mov ebx,0x10000000; int 0x80; pop rbx; ret
    code.write(b"\x53\xb8\x36\x01\x00\x00\xbb\x00\x00\x00\x10\xcd\x80\x5b\xc3")
    got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    if got < 0:
        raise OSError(-got, os.strerror(-got))
    return got


@attempt()
def syscall_x32():
    """The x32 table is reached by a bit in the number; filters have forgotten it before."""
    if machine() != "x86_64":
        raise Absent("this machine has no x32")
    return raw(0x40000000 + 39)


@attempt()
def syscall_x32_forbidden():
    if machine() != "x86_64":
        raise Absent("this machine has no x32")
    return raw(0x40000000 + 272, CLONE_NEWUSER)


@attempt()
def syscall_unknown():
    return raw(462 + 500)


@attempt(bare=True)
def push_into_own_terminal():
    """TIOCSTI types into a terminal on behalf of whoever sits at it."""
    try:
        master, slave = pty.openpty()
    except OSError as error:
        raise Absent(f"no terminal can be made: {error}")
    return fcntl.ioctl(slave, termios.TIOCSTI, b"x"), master


def push_into(name, descriptor):
    def function():
        return fcntl.ioctl(descriptor, termios.TIOCSTI, b"x")

    function.__name__ = name
    attempt()(function)


for _descriptor, _name in enumerate(("push_into_stdin", "push_into_stdout", "push_into_stderr")):
    push_into(_name, _descriptor)


@attempt()
def push_through_tioclinux():
    return fcntl.ioctl(0, 0x541C, b"\x03")


# --- privileges ------------------------------------------------------------------------------------------------------

@attempt(bare=True)
def become_another_user():
    return os.setresuid(12345, 12345, 12345)


@attempt()
def become_root():
    if os.getresuid() == (0, 0, 0):
        raise RuntimeError("it is root already")
    return os.setresuid(0, 0, 0)


@attempt(bare=True)
def change_groups():
    return os.setgroups([0, 1, 2])


@attempt()
def run_as_root():
    """Even a root of a user namespace is one too many."""
    if os.getuid() != 0 and os.geteuid() != 0:
        raise Absent(f"uid {os.getuid()}")
    return "uid 0"


def _status(key):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(key + ":"):
                return line.split()[1]
    raise Absent(key)


def capability_set(name, key):
    def function():
        if int(_status(key), 16) == 0:
            raise Absent("empty")
        return _status(key)

    function.__name__ = name
    attempt(bare=key in ("CapPrm", "CapEff", "CapBnd"))(function)


for _name, _key in (("capabilities_permitted", "CapPrm"), ("capabilities_effective", "CapEff"),
                    ("capabilities_bounding", "CapBnd"), ("capabilities_inheritable", "CapInh"),
                    ("capabilities_ambient", "CapAmb")):
    capability_set(_name, _key)


@attempt()
def new_privileges_possible():
    """prctl(PR_GET_NO_NEW_PRIVS)."""
    if libc.prctl(39, 0, 0, 0, 0) == 1:
        raise Absent("no_new_privs is set")
    return "no_new_privs is not set"


@attempt()
def drop_no_new_privs():
    return check(libc.prctl(38, 0, 0, 0, 0))


@attempt(bare=True)
def raise_ambient_capability():
    """PR_CAP_AMBIENT_RAISE of CAP_SYS_ADMIN, after making it inheritable."""
    header = struct.pack("=Ii", 0x20080522, 0)
    syscall("capset", header, struct.pack("=6I", *([0x200000] * 3), 0, 0, 0))
    return check(libc.prctl(47, 2, 21, 0, 0))


@attempt(bare=True)
def real_time_priority():
    return os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


@attempt(bare=True)
def io_real_time_priority():
    return syscall("ioprio_set", 1, 0, (1 << 13) | 4)


def raising(name, which):
    def function():
        soft, hard = resource.getrlimit(which)
        if hard == resource.RLIM_INFINITY:
            return "it has no limit at all"
        try:
            return resource.setrlimit(which, (hard + 1, hard + 1))
        except ValueError as error:  # Python's name for EPERM here
            raise PermissionError(errno.EPERM, str(error))

    function.__name__ = name
    attempt()(function)


raising("raise_open_files", resource.RLIMIT_NOFILE)
raising("raise_locked_memory", resource.RLIMIT_MEMLOCK)
raising("raise_message_queues", resource.RLIMIT_MSGQUEUE)
raising("raise_core_size", resource.RLIMIT_CORE)


@attempt()
def dump_core():
    """A crash must not make the host's core_pattern handler read this program's memory."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        raise Absent("core files are off")
    return hard


@attempt()
def see_processes_outside():
    """Every process seen here must descend from this sandbox's own first one."""
    with open("/proc/1/environ", "rb") as file:
        first = file.read()
    names = [pid for pid in os.listdir("/proc") if pid.isdigit()]
    if config["marker"].encode() not in first:
        return f"process 1 is not of this sandbox; {len(names)} processes"
    if len(names) > 8:
        return f"{len(names)} processes"
    raise Absent(f"{len(names)} processes, the first is ours")


if __name__ == "__main__":
    main()

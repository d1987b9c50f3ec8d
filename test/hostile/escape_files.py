"""Reads what is the host's or another's, and writes where it may not.

Configuration: `canary` (a word that stands in the host's secrets), `host_pid` (a process with it in its environment),
`home`, `project`, `other_job`, `run_folder`, `temporary` (host folders that hold a file `secret` with it), `sockets`
({path, abstract}), `setuid` (a program), `shown` (host folders that the sandbox shows on purpose).
"""
import os
import signal
import socket
import stat
import struct
import subprocess
import sys

from attempts import Absent, attempt, config, main
from syscalls import raw


def read_secret(folder):
    with open(os.path.join(folder, "secret")) as file:
        text = file.read()
    if config["canary"] not in text:
        raise Absent("a file of that name, but not the host's")
    return text


def reader(name, key):
    def function():
        return read_secret(config[key])

    function.__name__ = name
    attempt(bare=True)(function)


for _name, _key in (("read_home_folder", "home"), ("read_project_folder", "project"),
                    ("read_other_job", "other_job"), ("read_run_folder", "run_folder"),
                    ("read_host_tmp", "temporary")):
    reader(_name, _key)


@attempt(bare=True)
def read_etc_shadow():
    with open("/etc/shadow") as file:
        return len(file.read())


@attempt(bare=True)
def list_root_home():
    """An interpreter of the host's that lives there is shown, and nothing beside it."""
    names = [name for name in os.listdir("/root") if not any(
        shown.startswith("/root/" + name) for shown in config["shown"])]
    if not names:
        raise Absent("nothing of the host's")
    return names


@attempt()
def list_home():
    names = os.listdir("/home")
    if not names:
        raise Absent("/home is empty")
    return names


@attempt(bare=True)
def find_canary_by_walking():
    """Any file outside the big read-only trees whose text has the canary, by whatever path it may have come in."""
    tops = ["/" + name for name in sorted(os.listdir("/"))]
    skip = ("/proc", "/sys", "/usr", "/lib", "/lib64", "/bin", "/sbin", "/dev", "/hostile")
    # Bare, the host's whole disk would be walked: the folder that holds the canary is proof enough.
    for top in [config["home"]] if "--bare" in sys.argv else [top for top in tops if top not in skip]:
        for folder, folders, files in os.walk(top):
            folders[:] = [name for name in folders if os.path.join(folder, name) not in config["shown"]]
            for name in files:
                path = os.path.join(folder, name)
                try:
                    if stat.S_ISREG(os.lstat(path).st_mode) and os.path.getsize(path) < 4096:
                        with open(path, errors="replace") as file:
                            if config["canary"] in file.read():
                                return path
                except OSError:
                    continue
    raise Absent("nowhere")


@attempt(bare=True)
def proc_host_pid_environ():
    with open(f"/proc/{config['host_pid']}/environ") as file:
        text = file.read()
    if config["canary"] not in text:
        raise Absent("another process has this number")
    return len(text)


@attempt(bare=True)
def proc_host_pid_root():
    return read_secret(f"/proc/{config['host_pid']}/root{config['home']}")


@attempt(bare=True)
def proc_any_environ():
    """The canary is in the host process's environment: is it in that of any process seen from here?"""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", errors="replace") as file:
                if config["canary"] in file.read():
                    return pid
        except OSError:
            continue
    raise Absent("in none")


@attempt()
def proc_1_root_is_the_host():
    return read_secret("/proc/1/root" + config["home"])


@attempt()
def proc_1_environ_has_canary():
    with open("/proc/1/environ") as file:
        if config["canary"] not in file.read():
            raise Absent("not in it")
    return "in it"


@attempt(bare=True)
def own_environment_has_canary():
    if not any(config["canary"] in value for value in os.environ.values()):
        raise Absent("not in it: " + " ".join(sorted(os.environ)))
    return "in it"


@attempt()
def working_folder_leads_out():
    """A runtime that leaks its own working folder leaves `..` chains into the host (CVE-2024-21626)."""
    for descriptor in os.listdir("/proc/self/fd"):
        for up in range(12):
            try:
                return read_secret(f"/proc/self/fd/{descriptor}/" + "../" * up + config["home"].lstrip("/"))
            except OSError:
                continue
    return read_secret("../" * 12 + config["home"].lstrip("/"))


def opener(name, path, flags=os.O_RDONLY, bare=False):
    def function():
        descriptor = os.open(path, flags | os.O_CLOEXEC)
        if flags & os.O_ACCMODE == os.O_RDONLY:
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode) and not os.read(descriptor, 64):
                raise Absent("it is empty")
        return os.readlink(f"/proc/self/fd/{descriptor}")

    function.__name__ = name
    attempt(bare=bare)(function)


READ, WRITE = os.O_RDONLY, os.O_WRONLY
for _name, _path, _flags, _bare in (
    ("open_proc_kcore", "/proc/kcore", READ, False),
    ("open_proc_kmsg", "/proc/kmsg", READ, False),
    ("open_proc_keys", "/proc/keys", READ, False),
    ("open_proc_timer_list", "/proc/timer_list", READ, False),
    ("open_proc_sysrq_trigger", "/proc/sysrq-trigger", WRITE, False),
    ("write_proc_sys_hostname", "/proc/sys/kernel/hostname", WRITE, True),
    ("write_proc_sys_core_pattern", "/proc/sys/kernel/core_pattern", WRITE, True),
    ("write_proc_sys_modprobe", "/proc/sys/kernel/modprobe", WRITE, False),
    ("write_proc_sys_overcommit", "/proc/sys/vm/overcommit_memory", WRITE, True),
    ("write_proc_irq", "/proc/irq/default_smp_affinity", WRITE, False),
    ("write_sys_uevent_helper", "/sys/kernel/uevent_helper", WRITE, False),
    ("write_sys_hugepages", "/sys/kernel/mm/transparent_hugepage/enabled", WRITE, False),
    ("read_sys_firmware", "/sys/firmware/acpi/tables/DSDT", READ, False),
    ("read_sys_vmcoreinfo", "/sys/kernel/vmcoreinfo", READ, False),
    ("write_runtime_binary", "/proc/1/exe", WRITE, False),
    ("dev_mem", "/dev/mem", READ, False), ("dev_kmsg", "/dev/kmsg", WRITE, True),
    ("dev_kvm", "/dev/kvm", os.O_RDWR, False), ("dev_fuse", "/dev/fuse", os.O_RDWR, False),
    ("dev_tun", "/dev/net/tun", os.O_RDWR, False), ("dev_loop", "/dev/loop-control", os.O_RDWR, False),
    ("dev_userfaultfd", "/dev/userfaultfd", os.O_RDWR, False), ("dev_root_disk", "/dev/vda", READ, False),
    ("dev_sda", "/dev/sda", READ, False), ("dev_vsock", "/dev/vsock", READ, False),
    ("dev_console", "/dev/console", WRITE, False), ("dev_port", "/dev/port", READ, False),
    ("dev_tty", "/dev/tty", os.O_RDWR, False), ("dev_tty0", "/dev/tty0", os.O_RDWR, False),
):
    opener(_name, _path, _flags, _bare)


@attempt(bare=True)
def any_block_device():
    for folder, _, files in os.walk("/dev"):
        for name in files:
            path = os.path.join(folder, name)
            if stat.S_ISBLK(os.lstat(path).st_mode):
                return path
    raise Absent("none")


@attempt(bare=True)
def any_unexpected_device():
    usual = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"}
    found = [path for path in (os.path.join("/dev", name) for name in os.listdir("/dev"))
             if stat.S_ISCHR(os.lstat(path).st_mode) and os.path.basename(path) not in usual]
    if not found:
        raise Absent("none")
    return found


def maker(name, path):
    def function():
        parent = os.path.realpath(path)
        if parent.startswith("/tmp") or parent.startswith("/dev/shm"):
            raise Absent("it is the scratch space")
        file = os.path.join(path, "lanista-was-here")
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        os.unlink(file)
        return file

    function.__name__ = name
    attempt()(function)


for _name, _path in (("create_in_root", "/"), ("create_in_usr", "/usr"), ("create_in_usr_bin", "/usr/bin"),
                     ("create_in_bin", "/bin"), ("create_in_lib", "/lib"), ("create_in_etc", "/etc"),
                     ("create_in_var", "/var"), ("create_in_var_tmp", "/var/tmp"), ("create_in_run", "/run"),
                     ("create_in_home", "/home"), ("create_in_root_home", "/root"), ("create_in_dev", "/dev"),
                     ("create_in_dev_mqueue", "/dev/mqueue"), ("create_in_proc", "/proc"), ("create_in_sys", "/sys"),
                     ("create_in_opt", "/opt"), ("create_in_mnt", "/mnt"), ("create_in_agent", "/agent"),
                     ("create_in_mount", "/hostile")):
    maker(_name, _path)


@attempt()
def create_in_any_folder():
    """Every folder outside /proc and the scratch space: one that takes a file is a hole."""
    seen = 0
    for folder, folders, _ in os.walk("/"):
        if folder == "/":
            folders[:] = [each for each in folders if each not in ("proc", "tmp")]
        if folder == "/dev":
            folders[:] = [each for each in folders if each != "shm"]
        if folder.count("/") > 2:
            folders[:] = []
        seen += 1
        try:
            file = os.path.join(folder, "lanista-was-here")
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            os.unlink(file)
            return folder
        except OSError:
            continue
    if seen < 20:
        raise RuntimeError(f"only {seen} folders seen: this walk proves nothing")
    raise Absent(f"none of {seen}")


@attempt(bare=True)
def create_in_scratch():
    """Not an escape: the proof that a folder which takes a file is seen as such."""
    return os.close(os.open(f"/tmp/{config['canary']}", os.O_CREAT | os.O_EXCL | os.O_WRONLY)) or os.unlink(
        f"/tmp/{config['canary']}")


for _name, _path in (("overwrite_interpreter", os.path.realpath("/proc/self/exe")), ("overwrite_passwd", "/etc/passwd"),
                     ("overwrite_hosts", "/etc/hosts"), ("overwrite_libc", "/usr/lib/os-release"),
                     ("overwrite_program", os.path.realpath(__file__))):
    opener(_name, _path, WRITE)


@attempt()
def touch_shared_file():
    """A time stamp on a file that others see too is a message."""
    return os.utime("/usr/lib/os-release", (1, 1))


@attempt()
def chmod_shared_file():
    return os.chmod("/usr/lib/os-release", 0o777)


@attempt()
def xattr_shared_file():
    return os.setxattr("/usr/lib/os-release", "user.lanista", b"x")


def in_scratch(name):
    return f"/tmp/{name}-{os.getpid()}"


@attempt(bare=True)
def mknod_block_device():
    path = in_scratch("block")
    os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(254, 0))
    os.unlink(path)


@attempt(bare=True)
def mknod_char_device():
    path = in_scratch("char")
    os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 1))
    os.unlink(path)


@attempt(bare=True)
def chown_to_root():
    path = in_scratch("owned")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    try:
        os.chown(path, os.getuid() + 1, -1)
    finally:
        os.unlink(path)


@attempt(bare=True)
def run_setuid_program():
    """`setuid` is a copy of `id` that belongs to another user and has the setuid bit."""
    path = config["setuid"]
    drop = None if "--bare" not in sys.argv else lambda: os.setresuid(12345, 12345, 12345)
    shown = subprocess.run([path, "-u"], capture_output=True, text=True, preexec_fn=drop, check=True).stdout.strip()
    mine = str(os.getuid()) if drop is None else "12345"
    if shown == mine:
        raise Absent(f"it ran as {shown}, like its caller")
    return shown


@attempt(bare=True)
def inherited_descriptors():
    """Beyond the three streams and this child's own pipe there is nothing; the bare control is given one more."""
    more = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2:
                more.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue  # the listing itself
    if len(more) == 1 and more[0].startswith("pipe:"):
        raise Absent("nothing")
    return more


@attempt()
def signal_the_peer_of_stdout():
    """Where a stream is a socket, the kernel hands out a descriptor of the process at its other end."""
    number = struct.unpack("i", socket.socket(fileno=os.dup(1)).getsockopt(socket.SOL_SOCKET, 77, 4))[0]
    return signal.pidfd_send_signal(number, 0) if hasattr(signal, "pidfd_send_signal") else raw(424, number, 0, 0, 0)


@attempt(bare=True)
def unix_socket_by_path():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(config["sockets"]["path"])


@attempt(bare=True)
def unix_socket_abstract():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect("\0" + config["sockets"]["abstract"])


@attempt()
def container_engine_socket():
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
                 "/run/podman/podman.sock", "/run/crio/crio.sock"):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            client.connect(path)
            return path
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            continue
    raise Absent("none")


@attempt(bare=True)
def cgroup_write():
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        for name in files:
            if name in ("cgroup.procs", "tasks", "release_agent", "memory.max", "pids.max", "memory.limit_in_bytes"):
                try:
                    os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                    return os.path.join(folder, name)
                except OSError:
                    continue
    raise Absent("no cgroup file can be written")


@attempt()
def oom_score_lower():
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("-1000")


@attempt(bare=True)
def signal_host_process():
    os.kill(config["host_pid"], 0)
    with open(f"/proc/{config['host_pid']}/environ") as file:
        if config["canary"] not in file.read():
            raise Absent("another process has this number")


@attempt(bare=True)
def lower_priority_number():
    return os.setpriority(os.PRIO_PROCESS, 0, -10)


if __name__ == "__main__":
    main()

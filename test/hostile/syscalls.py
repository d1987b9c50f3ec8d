"""Raw system calls by name, for x86_64 and aarch64: libc's wrappers would refuse or emulate some of them."""
import ctypes
import platform

from attempts import check

libc = ctypes.CDLL(None, use_errno=True)

# name: (x86_64, aarch64). Numbers from 424 on are the same on both. None: the machine has no such call.
_NUMBERS = {
    "getpid": (39, 172), "uselib": (134, None), "ustat": (136, None), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "pivot_root": (155, 41), "_sysctl": (156, None), "acct": (163, 89),
    "settimeofday": (164, 170), "mount": (165, 40), "umount2": (166, 39), "swapon": (167, 224), "reboot": (169, 142),
    "sethostname": (170, 161), "setdomainname": (171, 162), "init_module": (175, 105), "delete_module": (176, 106),
    "quotactl": (179, 60), "syslog": (103, 116), "ptrace": (101, 117), "personality": (135, 92),
    "chroot": (161, 51), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "unshare": (272, 97), "clone": (56, 220),
    "perf_event_open": (298, 241), "fanotify_init": (300, 262), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "setns": (308, 268), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "finit_module": (313, 273), "bpf": (321, 280),
    "userfaultfd": (323, 282), "lookup_dcookie": (212, 18), "vhangup": (153, 58), "nfsservctl": (180, 42),
    "io_setup": (206, 0), "capset": (126, 91), "mq_open": (240, 180), "shmget": (29, 194), "shmat": (30, 196),
    "semget": (64, 190), "msgget": (68, 186), "ioprio_set": (251, 30), "sched_setscheduler": (144, 119),
    "setxattr": (188, 5), "io_uring_setup": (425, 425), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fspick": (433, 433), "pidfd_open": (434, 434), "clone3": (435, 435),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "mount_setattr": (442, 442),
    "memfd_secret": (447, 447), "memfd_create": (319, 279),
}


def machine():
    return platform.machine()


def syscall(name, *arguments):
    """Makes the call; integers, bytes and ctypes objects may be arguments. Raises OSError where it fails."""
    column = 1 if machine() == "aarch64" else 0
    number = _NUMBERS[name][column]
    if number is None:
        raise OSError(38, "this machine has no such call")
    return check(libc.syscall(ctypes.c_long(number), *(_word(value) for value in arguments)))


def raw(number, *arguments):
    return check(libc.syscall(ctypes.c_long(number), *(_word(value) for value in arguments)))


def _word(value):
    return ctypes.c_long(value) if isinstance(value, int) else value

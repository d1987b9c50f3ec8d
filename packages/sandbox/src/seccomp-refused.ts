/**
 * The system calls a sandbox is refused by name. `EPERM` says "you may not"; `ENOSYS` is for calls that libraries try
 * first and then do without, as on an older kernel.
 */
import type { CallGroup } from "./seccomp-allowed.ts";

export interface RefusedGroup extends CallGroup {
  readonly errno: "EPERM" | "ENOSYS" | "ENOLCK";
}

export const REFUSED: readonly RefusedGroup[] = [
  {
    name: "namespaces and roots",
    errno: "EPERM",
    why: "A user namespace of one's own brings every capability in it, and with it most of the kernel's code.",
    calls: `unshare setns chroot pivot_root`.split(/\s+/),
  },
  {
    name: "clone3",
    errno: "ENOSYS",
    why: "Its flags lie in memory, where a filter cannot read them; libcs fall back to clone, whose flags it can.",
    calls: ["clone3"],
  },
  {
    name: "mounts",
    errno: "EPERM",
    why: "The mounts are the walls.",
    calls: `mount umount2 mount_setattr open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick statmount
      listmount`.split(/\s+/),
    x86: ["sysfs"],
  },
  {
    name: "file handles",
    errno: "EPERM",
    why: "A handle names an inode past every mount.",
    calls: `name_to_handle_at open_by_handle_at`.split(/\s+/),
  },
  {
    name: "other processes",
    errno: "EPERM",
    why: "Reading and steering processes, and ptrace, by which a filter could once be passed.",
    calls: `ptrace process_vm_readv process_vm_writev process_madvise process_mrelease pidfd_getfd kcmp`.split(/\s+/),
  },
  {
    name: "scheduling",
    errno: "EPERM",
    why: "A program that steps back on purpose, by an idle policy or by crowding onto a busy CPU, would look as if the host \
had kept it from running, and time that the host takes is given back. (sched_setscheduler: by argument.)",
    calls: `setpriority sched_setaffinity sched_setparam sched_setattr`.split(/\s+/),
  },
  {
    name: "watches on files",
    errno: "ENOSYS",
    why: "A watch on an inode that two sandboxes share is a signal between them, and /proc has some that all share.",
    calls: `inotify_init1 inotify_add_watch inotify_rm_watch`.split(/\s+/),
    x86: ["inotify_init"],
  },
  {
    name: "locks on files",
    errno: "ENOLCK",
    why: "A lock is a signal to whoever can lock the same inode, and some inodes are the whole host's: every eventfd and \
epoll descriptor is one and the same. Programs know this errno from file systems without locks. (fcntl: by argument.)",
    calls: ["flock"],
  },
  {
    name: "keyrings",
    errno: "EPERM",
    why: "They belong to a uid, not to a namespace.",
    calls: `keyctl add_key request_key`.split(/\s+/),
  },
  {
    name: "the kernel's machinery",
    errno: "EPERM",
    why: "Programs in the kernel, counters over other processes, faults served by user code: attack surface no agent needs.",
    calls: `bpf perf_event_open userfaultfd fanotify_init fanotify_mark seccomp
      landlock_create_ruleset landlock_add_rule landlock_restrict_self
      lsm_get_self_attr lsm_set_self_attr lsm_list_modules`.split(/\s+/),
    x86: `lookup_dcookie modify_ldt iopl ioperm`.split(/\s+/),
  },
  {
    name: "io_uring and kernel AIO",
    errno: "ENOSYS",
    why: "io_uring does what a filter forbids, out of its sight. AIO contexts are counted for the whole host together. \
Event loops fall back to epoll and threads.",
    calls: `io_uring_setup io_uring_enter io_uring_register
      io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents`.split(/\s+/),
  },
  {
    name: "pages in pipes",
    errno: "ENOSYS",
    why: "Pages of files in pipes have let programs write to read-only files; copying does the same work.",
    calls: `splice tee vmsplice`.split(/\s+/),
  },
  {
    name: "System V IPC and message queues",
    errno: "ENOSYS",
    why: "Shared memory there passes by the limit on /dev/shm; multiprocessing uses /dev/shm and futexes.",
    calls: `shmget shmat shmdt shmctl semget semop semtimedop semctl msgget msgsnd msgrcv msgctl
      mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr`.split(/\s+/),
  },
  {
    name: "placing memory",
    errno: "ENOSYS",
    why: "NUMA policy is the host's business, and libnuma takes this answer for a machine without it.",
    calls: `get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages cachestat
      remap_file_pages memfd_secret map_shadow_stack`.split(/\s+/),
  },
  {
    name: "extended attributes",
    errno: "EPERM",
    why: "Some filesystems count their memory to nobody.",
    calls: `setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
      file_getattr file_setattr`.split(/\s+/),
  },
  {
    name: "the whole host",
    errno: "EPERM",
    why: "Their effect is not the sandbox's own: sync flushes everybody's disks, ioprio_set competes with everybody's reads.",
    calls: `sync syncfs ioprio_set acct quotactl quotactl_fd swapon swapoff reboot kexec_load kexec_file_load
      init_module finit_module delete_module sethostname setdomainname syslog vhangup nfsservctl
      settimeofday clock_settime adjtimex clock_adjtime`.split(/\s+/),
    x86: `_sysctl uselib ustat create_module get_kernel_syms query_module`.split(/\s+/),
  },
];

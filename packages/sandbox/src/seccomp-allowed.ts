/**
 * The system calls a sandbox may make whatever their arguments are. What stands in none of the lists of this folder
 * answers ENOSYS, so a libc newer than these lists falls back to the older call it knows.
 */
export interface CallGroup {
  readonly name: string;
  /** Why these calls are let through, or refused. */
  readonly why: string;
  readonly calls: readonly string[];
  /** Calls that only x86_64 has: the older spellings of those in `calls`. */
  readonly x86?: readonly string[];
}

export const ALLOWED: readonly CallGroup[] = [
  {
    name: "files",
    why: "The mounts decide what there is to open, and the uid what may be done with it.",
    calls: `openat openat2 close close_range dup dup3 lseek
      read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2
      ftruncate truncate fallocate fadvise64 readahead copy_file_range sendfile fsync fdatasync sync_file_range
      fstat newfstatat statx statfs fstatfs faccessat faccessat2 getdents64 getcwd chdir fchdir
      mkdirat unlinkat renameat renameat2 linkat symlinkat readlinkat umask
      fchmod fchmodat fchmodat2 fchown fchownat utimensat
      getxattr lgetxattr fgetxattr getxattrat listxattr llistxattr flistxattr listxattrat`.split(/\s+/),
    x86: `open creat dup2 stat lstat access getdents mkdir rmdir unlink rename link symlink readlink
      chmod chown lchown utime utimes futimesat`.split(/\s+/),
  },
  {
    name: "memory",
    why: "Counted by the memory limit. Locking has a limit of its own, of which a sandbox gets nothing.",
    calls: `brk mmap munmap mremap mprotect madvise msync mincore mseal mlock mlock2 munlock mlockall munlockall
      memfd_create pkey_alloc pkey_free pkey_mprotect membarrier`.split(/\s+/),
  },
  {
    name: "processes",
    why: "Counted by the pids limit and seen only inside the pid namespace. Without capabilities a change of ids can name \
none but one's own.",
    calls: `execve execveat exit exit_group wait4 waitid
      getpid getppid gettid getpgid setpgid getsid setsid kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo
      pidfd_open pidfd_send_signal prctl set_tid_address
      getuid geteuid getgid getegid getresuid getresgid getgroups setuid setgid setreuid setregid setresuid setresgid
      setfsuid setfsgid setgroups capget capset getrlimit setrlimit prlimit64 getrusage times getpriority
      ioprio_get`.split(/\s+/),
    x86: `fork vfork getpgrp arch_prctl`.split(/\s+/),
  },
  {
    name: "threads",
    why: "Futexes work on memory of the sandbox's own; scheduling may be asked about, not changed.",
    calls: `futex futex_waitv futex_wait futex_wake futex_requeue get_robust_list set_robust_list rseq restart_syscall
      sched_yield sched_getaffinity sched_getparam sched_getscheduler
      sched_getattr sched_get_priority_max sched_get_priority_min
      sched_rr_get_interval getcpu`.split(/\s+/),
  },
  {
    name: "signals",
    why: "They reach nobody outside the pid namespace.",
    calls: `rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigsuspend rt_sigtimedwait sigaltstack signalfd4
      getitimer setitimer`.split(/\s+/),
    x86: `pause alarm signalfd`.split(/\s+/),
  },
  {
    name: "time",
    why: "Reading clocks and waiting.",
    calls: `clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday
      timer_create timer_delete timer_gettime timer_settime timer_getoverrun
      timerfd_create timerfd_gettime timerfd_settime`.split(/\s+/),
    x86: ["time"],
  },
  {
    name: "waiting",
    why: "Event loops, over descriptors of the process's own.",
    calls: `ppoll pselect6 epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 pipe2`.split(/\s+/),
    x86: `poll select epoll_create epoll_wait eventfd pipe`.split(/\s+/),
  },
  {
    name: "sockets in use",
    why: "Only Unix sockets can be made (see the rules on arguments): asyncio and multiprocessing talk over them. \
Abstract names belong to the network namespace, paths to the mounts.",
    calls: `bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown
      recvfrom recvmsg recvmmsg`.split(/\s+/),
  },
  {
    name: "the machine",
    why: "What any program asks of it, and random bytes.",
    calls: `uname sysinfo getrandom`.split(/\s+/),
  },
];

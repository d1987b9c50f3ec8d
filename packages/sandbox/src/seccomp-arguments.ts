/**
 * The system calls that are allowed for some arguments only. A filter sees numbers, never what a pointer points at.
 *
 * The kernel reads many of them as 32 bits, while a filter compares 64: a rule that refuses one value is passed by
 * setting a higher bit, unless it masks. So these rules let named values through, or mask, and what no rule names
 * answers ENOSYS.
 */
export interface Argument {
  readonly index: number;
  readonly op: "SCMP_CMP_EQ" | "SCMP_CMP_NE" | "SCMP_CMP_MASKED_EQ";
  /** The value; for MASKED_EQ the mask, and `valueTwo` the value under it. */
  readonly value: number;
  readonly valueTwo?: number;
}

export interface ArgumentRule {
  readonly why: string;
  readonly calls: readonly string[];
  readonly x86?: readonly string[];
  readonly allow: boolean;
  /** What a refusal answers. */
  readonly errno?: "EPERM" | "EAFNOSUPPORT" | "ENOLCK";
  /** One rule for each: they are alternatives; of several arguments together all must hold. */
  readonly when: readonly (Argument | readonly Argument[])[];
  /** In boxes with a loopback of their own this holds instead of the rules without it that name the same calls. */
  readonly loopback?: true;
  /** Only for boxes with devices. */
  readonly devices?: true;
}

const LOW_32_BITS = 0xffff_ffff;
const FILE_TYPE = 0o170000;
const AF_UNIX = 1;
const AF_INET = 2;
/** A socket's type is in the low bits; flags stand above. */
const TYPE = 0xf;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
/** All that the kernel has numbers for, but those two. */
const OTHER_FAMILIES = [0, ...Array.from({ length: 44 }, (_, index) => index + 3)];
const MSG_OOB = 1;

function equal(index: number, value: number): Argument {
  return { index, op: "SCMP_CMP_EQ", value };
}

function masked(index: number, mask: number, value: number): Argument {
  return { index, op: "SCMP_CMP_MASKED_EQ", value: mask, valueTwo: value };
}

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];

/** Terminal questions and settings, process groups, pseudo-terminals, and the flags any file has. */
const IOCTLS = [
  0x5401, // TCGETS
  0x5402, // TCSETS
  0x5403, // TCSETSW
  0x5404, // TCSETSF
  0x5409, // TCSBRK (tcdrain)
  0x540a, // TCXONC
  0x540b, // TCFLSH
  0x540e, // TIOCSCTTY
  0x540f, // TIOCGPGRP
  0x5410, // TIOCSPGRP
  0x5411, // TIOCOUTQ
  0x5413, // TIOCGWINSZ
  0x5414, // TIOCSWINSZ
  0x541b, // FIONREAD
  0x5421, // FIONBIO
  0x5422, // TIOCNOTTY
  0x5429, // TIOCGSID
  0x5441, // TIOCGPTPEER
  0x5450, // FIONCLEX
  0x5451, // FIOCLEX
  0x5452, // FIOASYNC
  0x8004_5430, // TIOCGPTN
  0x4004_5431, // TIOCSPTLCK
  0x802c_542a, // TCGETS2
  0x402c_542b, // TCSETS2
  0x402c_542c, // TCSETSW2
  0x402c_542d, // TCSETSF2
];
/** DUPFD, GETFD, SETFD, GETFL, SETFL, SETOWN, GETOWN, SETSIG, GETSIG, SETOWN_EX, GETOWN_EX, DUPFD_CLOEXEC, pipe sizes, seals. */
const FILE_COMMANDS = [0, 1, 2, 3, 4, 8, 9, 10, 11, 15, 16, 1030, 1031, 1032, 1033, 1034];
/** GETLK, SETLK, SETLKW and their OFD forms, SETLEASE, GETLEASE, NOTIFY. */
const LOCK_COMMANDS = [5, 6, 7, 36, 37, 38, 1024, 1025, 1026];
const SCHED_OTHER = 0;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

export const ARGUMENT_RULES: readonly ArgumentRule[] = [
  {
    why: "New processes and threads, in the namespaces one is in.",
    calls: ["clone"],
    allow: true,
    when: [
      masked(
        0,
        NAMESPACE_FLAGS.reduce((all, flag) => all + flag),
        0,
      ),
    ],
  },
  {
    why: "A namespace by clone is a namespace by unshare.",
    calls: ["clone"],
    allow: false,
    errno: "EPERM",
    when: NAMESPACE_FLAGS.map((flag) => masked(0, flag, flag)),
  },
  {
    why: "Unix sockets, for event loops and between processes of one sandbox.",
    calls: ["socket", "socketpair"],
    allow: true,
    when: [equal(0, AF_UNIX)],
  },
  {
    why: "No other family: an agent has no network, so even the code of TCP, netlink, packet, vsock and crypto sockets \
stays out of reach. Libraries know this errno from machines without IPv6.",
    calls: ["socket", "socketpair"],
    allow: false,
    errno: "EAFNOSUPPORT",
    when: [{ index: 0, op: "SCMP_CMP_NE", value: AF_UNIX }],
  },
  {
    why: "Unix sockets; and TCP, which in a box without a network leads to the box itself alone.",
    calls: ["socket", "socketpair"],
    loopback: true,
    allow: true,
    when: [
      equal(0, AF_UNIX),
      ...[0, IPPROTO_TCP].map((protocol) => [equal(0, AF_INET), masked(1, TYPE, SOCK_STREAM), equal(2, protocol)]),
    ],
  },
  {
    why: "No other family. Named one by one, for runtimes take two conditions on one argument as alternatives.",
    calls: ["socket", "socketpair"],
    loopback: true,
    allow: false,
    errno: "EAFNOSUPPORT",
    when: OTHER_FAMILIES.map((family) => equal(0, family)),
  },
  {
    why: "Sending, over the Unix sockets that can be made and those that were given.",
    calls: ["sendto", "sendmmsg"],
    allow: true,
    when: [masked(3, MSG_OOB, 0)],
  },
  {
    why: "The same; its flags stand elsewhere.",
    calls: ["sendmsg"],
    allow: true,
    when: [masked(2, MSG_OOB, 0)],
  },
  {
    why: "Urgent data on Unix sockets: kernel code that nobody uses, and that let programs out of browsers' sandboxes \
(CVE-2025-38236).",
    calls: ["sendto", "sendmmsg"],
    allow: false,
    errno: "EPERM",
    when: [masked(3, MSG_OOB, MSG_OOB)],
  },
  {
    why: "The same; its flags stand elsewhere.",
    calls: ["sendmsg"],
    allow: false,
    errno: "EPERM",
    when: [masked(2, MSG_OOB, MSG_OOB)],
  },
  {
    why: "Descriptors' own settings.",
    calls: ["fcntl"],
    allow: true,
    when: FILE_COMMANDS.map((command) => masked(1, LOW_32_BITS, command)),
  },
  {
    why: "A lock is a signal to whoever else can lock the inode, and some inodes are the whole kernel's: every eventfd \
and epoll descriptor of the host is one and the same. Programs know this errno from file systems without locks.",
    calls: ["fcntl"],
    allow: false,
    errno: "ENOLCK",
    when: LOCK_COMMANDS.map((command) => masked(1, LOW_32_BITS, command)),
  },
  {
    why: "A terminal's and a file's own settings. Each driver's commands are code of its own: none is needed.",
    calls: ["ioctl"],
    allow: true,
    when: IOCTLS.map((command) => masked(1, LOW_32_BITS, command)),
  },
  {
    why: "Drivers of GPUs: NVIDIA's (F, and UVM's plain numbers), the kernel's DRM (d) and AMD's KFD (K). No terminal's (T).",
    calls: ["ioctl"],
    devices: true,
    allow: true,
    when: [0, 0x46, 0x64, 0x4b].map((type) => masked(1, 0xff00, type << 8)),
  },
  {
    why: "They put characters into the terminal that somebody else is typing at.",
    calls: ["ioctl"],
    allow: false,
    errno: "EPERM",
    when: [TIOCSTI, TIOCLINUX].map((command) => masked(1, LOW_32_BITS, command)),
  },
  {
    why: "Asking for the usual policy, which every thread has anyway: ZeroMQ ends its process where it may not ask.",
    calls: ["sched_setscheduler"],
    allow: true,
    when: [equal(1, SCHED_OTHER)],
  },
  {
    why: "A program that steps back on purpose, by an idle policy, would look as if the host had kept it from running.",
    calls: ["sched_setscheduler"],
    allow: false,
    errno: "EPERM",
    when: [{ index: 1, op: "SCMP_CMP_NE", value: SCHED_OTHER }],
  },
  {
    why: "Reading the execution domain, and setting the usual one; others switch off address randomisation.",
    calls: ["personality"],
    allow: true,
    when: [masked(0, LOW_32_BITS, 0), masked(0, LOW_32_BITS, 0xffff_ffff)],
  },
  {
    why: "FIFOs, sockets and plain files.",
    calls: ["mknodat"],
    allow: true,
    when: [0, 0o010000, 0o100000, 0o140000].map((type) => masked(2, FILE_TYPE, type)),
  },
  {
    why: "Character and block devices, beside the missing capability.",
    calls: ["mknodat"],
    allow: false,
    errno: "EPERM",
    when: [0o020000, 0o060000].map((type) => masked(2, FILE_TYPE, type)),
  },
  {
    why: "The same, by the older spelling.",
    calls: [],
    x86: ["mknod"],
    allow: true,
    when: [0, 0o010000, 0o100000, 0o140000].map((type) => masked(1, FILE_TYPE, type)),
  },
  {
    why: "The same, by the older spelling.",
    calls: [],
    x86: ["mknod"],
    allow: false,
    errno: "EPERM",
    when: [0o020000, 0o060000].map((type) => masked(1, FILE_TYPE, type)),
  },
];

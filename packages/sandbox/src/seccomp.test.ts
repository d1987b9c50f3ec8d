import { describe, expect, it } from "vitest";
import { hostSeccompArch, type SeccompProfile, seccompProfile } from "./seccomp.ts";
import { ALLOWED } from "./seccomp-allowed.ts";
import { ARGUMENT_RULES } from "./seccomp-arguments.ts";
import { REFUSED } from "./seccomp-refused.ts";

/** What the filter answers, read as the kernel reads it: 64-bit comparisons, alternatives, then the default. */
function verdict(profile: SeccompProfile, call: string, args: readonly bigint[] = []): string | number {
  const answers = profile.syscalls
    .filter((rule) => rule.names.includes(call))
    .filter((rule) =>
      (rule.args ?? []).every(({ index, op, value, valueTwo }) => {
        const given = BigInt.asUintN(64, args[index] ?? 0n);
        if (op === "SCMP_CMP_EQ") return given === BigInt(value);
        if (op === "SCMP_CMP_NE") return given !== BigInt(value);
        return (given & BigInt(value)) === BigInt(valueTwo ?? 0);
      }),
    )
    .map((rule) => (rule.action === "SCMP_ACT_ALLOW" ? "allow" : (rule.errnoRet ?? 0)));
  const distinct = new Set(answers);
  if (distinct.size > 1) throw new Error(`${call}: rules disagree`);
  return answers[0] ?? profile.defaultErrnoRet;
}

const EPERM = 1;
const ENOLCK = 37;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

describe("the lists", () => {
  it("name each call in one place", () => {
    const plain = [...ALLOWED, ...REFUSED].flatMap((group) => [...group.calls, ...(group.x86 ?? [])]);
    const byArgument = new Set(ARGUMENT_RULES.flatMap((rule) => [...rule.calls, ...(rule.x86 ?? [])]));
    const all = [...plain, ...byArgument];
    expect(all.filter((name, index) => all.indexOf(name) !== index)).toEqual([]);
    expect(all.filter((name) => !/^_?[a-z][a-z0-9_]*$/.test(name))).toEqual([]);
  });

  it("give a reason for everything", () => {
    for (const { why } of [...ALLOWED, ...REFUSED, ...ARGUMENT_RULES]) expect(why.length).toBeGreaterThan(20);
  });
});

describe.each(["x86_64", "aarch64"] as const)("the filter of %s", (arch) => {
  const profile = seccompProfile(arch);

  it("knows one calling convention", () => {
    expect(profile.architectures).toEqual([arch === "x86_64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"]);
  });

  it.each(["read", "openat", "mmap", "execve", "futex", "rseq", "epoll_pwait", "getrandom", "statx", "rt_sigreturn"])(
    "allows %s",
    (call) => expect(verdict(profile, call)).toBe("allow"),
  );

  it.each(
    `ptrace process_vm_readv process_vm_writev pidfd_getfd mount umount2 pivot_root chroot unshare setns fsopen move_mount
    open_tree mount_setattr bpf perf_event_open userfaultfd keyctl add_key request_key kexec_load kexec_file_load
    open_by_handle_at fanotify_init init_module reboot swapon syslog setxattr sync`.split(/\s+/),
  )("refuses %s", (call) => expect(verdict(profile, call)).toBe(EPERM));

  it.each(["clone3", "io_uring_setup", "io_setup", "splice", "shmget", "a_call_of_next_year"])(
    "does not know %s",
    (call) => expect(verdict(profile, call)).toBe(ENOSYS),
  );

  it("lets threads and processes be made, in no new namespace", () => {
    expect(verdict(profile, "clone", [0x3d0f00n])).toBe("allow");
    expect(verdict(profile, "clone", [17n])).toBe("allow");
    for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
      expect(verdict(profile, "clone", [flag | 17n])).toBe(EPERM);
      expect(verdict(profile, "clone", [flag | 17n | (1n << 32n)])).toBe(EPERM);
    }
  });

  it("sends no urgent data, whatever the other flags say", () => {
    for (const [call, before] of [
      ["sendto", [3n, 0n, 1n]],
      ["sendmmsg", [3n, 0n, 1n]],
      ["sendmsg", [3n, 0n]],
    ] as const) {
      expect(verdict(profile, call, [...before, 0x4000n])).toBe("allow");
      for (const flags of [1n, 0x4001n, 1n | (1n << 32n)])
        expect(verdict(profile, call, [...before, flags])).toBe(EPERM);
    }
  });

  it("makes Unix sockets only, whatever the higher bits say", () => {
    expect(verdict(profile, "socket", [1n])).toBe("allow");
    expect(verdict(profile, "socketpair", [1n])).toBe("allow");
    for (const family of [0n, 2n, 10n, 16n, 17n, 38n, 40n, 44n, 2n | (1n << 32n), -1n])
      expect(verdict(profile, "socket", [family])).toBe(EAFNOSUPPORT);
  });

  it("makes TCP sockets too in a box with a loopback, and locks where these are granted", () => {
    const build = seccompProfile(arch, { loopback: true, locks: true });
    expect(verdict(build, "flock")).toBe("allow");
    expect(verdict(build, "fcntl", [0n, 6n])).toBe(ENOLCK);
    expect(verdict(build, "socket", [1n])).toBe("allow");
    for (const type of [1n, 1n | 0o2004000n])
      for (const protocol of [0n, 6n]) expect(verdict(build, "socket", [2n, type, protocol])).toBe("allow");
    // Datagrams, raw, MPTCP, or with higher bits set.
    for (const args of [
      [2n, 2n, 0n],
      [2n, 3n, 1n],
      [2n, 1n, 262n],
      [2n | (1n << 32n), 1n, 0n],
    ])
      expect(verdict(build, "socket", args)).not.toBe("allow");
    for (const family of [0n, 10n, 16n, 17n, 38n, 40n, 44n])
      expect(verdict(build, "socket", [family])).toBe(EAFNOSUPPORT);
    expect(seccompProfile(arch, { loopback: false, locks: false })).toEqual(profile);
  });

  it("passes no ioctl that types for another, whatever the higher bits say", () => {
    for (const high of [0n, 1n << 32n, 0xffffffffn << 32n]) {
      expect(verdict(profile, "ioctl", [0n, 0x5412n | high])).toBe(EPERM);
      expect(verdict(profile, "ioctl", [0n, 0x541cn | high])).toBe(EPERM);
      expect(verdict(profile, "ioctl", [0n, 0x5401n | high])).toBe("allow");
    }
    expect(verdict(profile, "ioctl", [0n, 0x8933n])).toBe(ENOSYS);
  });

  it("lets drivers of GPUs be spoken to in boxes with devices, and types for nobody in these either", () => {
    const gpu = seccompProfile(arch, { devices: true });
    for (const command of [0xc020462an, 0x27n, 0xc0406400n, 0xc0184b01n])
      expect([verdict(gpu, "ioctl", [0n, command]), verdict(profile, "ioctl", [0n, command])]).toEqual([
        "allow",
        ENOSYS,
      ]);
    for (const high of [0n, 1n << 32n]) expect(verdict(gpu, "ioctl", [0n, 0x5412n | high])).toBe(EPERM);
    expect(verdict(gpu, "ioctl", [0n, 0x8933n])).toBe(ENOSYS);
  });

  it("gives no lock, lease or watch, whatever the higher bits say", () => {
    for (const high of [0n, 1n << 32n]) {
      for (const command of [5n, 6n, 7n, 36n, 37n, 38n, 1024n, 1025n, 1026n])
        expect(verdict(profile, "fcntl", [0n, command | high])).toBe(ENOLCK);
      for (const command of [0n, 1n, 2n, 3n, 4n, 1030n, 1033n])
        expect(verdict(profile, "fcntl", [0n, command | high])).toBe("allow");
    }
    expect(verdict(profile, "flock")).toBe(ENOLCK);
    expect(verdict(profile, "inotify_add_watch")).toBe(ENOSYS);
  });

  it("keeps addresses random", () => {
    expect(verdict(profile, "personality", [0xffffffffn])).toBe("allow");
    expect(verdict(profile, "personality", [0n])).toBe("allow");
    expect(verdict(profile, "personality", [0x40000n])).toBe(ENOSYS);
  });

  it("makes no device", () => {
    expect(verdict(profile, "mknodat", [0n, 0n, 0o010600n])).toBe("allow");
    expect(verdict(profile, "mknodat", [0n, 0n, 0o020600n])).toBe(EPERM);
    expect(verdict(profile, "mknodat", [0n, 0n, 0o060600n])).toBe(EPERM);
    expect(verdict(profile, "mknod", [0n, 0o060600n])).toBe(arch === "x86_64" ? EPERM : ENOSYS);
  });

  it("names the older spellings on x86_64 alone", () => {
    expect(verdict(profile, "open")).toBe(arch === "x86_64" ? "allow" : ENOSYS);
    expect(verdict(profile, "fork")).toBe(arch === "x86_64" ? "allow" : ENOSYS);
  });
});

describe("the machine's own filter", () => {
  it("is refused on a processor there is none for", () => {
    expect(hostSeccompArch("x64")).toBe("x86_64");
    expect(hostSeccompArch("arm64")).toBe("aarch64");
    expect(() => hostSeccompArch("ppc64")).toThrow(RangeError);
  });
});

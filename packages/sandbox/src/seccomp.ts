/**
 * The system-call filter of a sandbox, as the OCI runtime specification's `linux.seccomp`.
 *
 * It is the second wall behind namespaces, capabilities and the uid: it keeps a program away from kernel code it has no
 * use for. Three kinds of data make it: calls that are allowed (seccomp-allowed.ts), calls that are refused by name
 * (seccomp-refused.ts), and calls that depend on an argument (seccomp-arguments.ts), each with its reason. What nobody
 * named answers ENOSYS.
 *
 * Only the machine's own calling convention is known: a 32-bit or x32 call kills the thread that makes it.
 *
 * It is for `crun` and `runc`; gVisor's kernel answers the program by itself, and its filter guards gVisor.
 */
import { ALLOWED, type CallGroup } from "./seccomp-allowed.ts";
import { ARGUMENT_RULES, type Argument } from "./seccomp-arguments.ts";
import { REFUSED } from "./seccomp-refused.ts";

export type SeccompArch = "x86_64" | "aarch64";

const ERRNO = { EPERM: 1, ENOLCK: 37, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: "SCMP_ACT_ALLOW" | "SCMP_ACT_ERRNO";
  readonly errnoRet?: number;
  readonly args?: readonly Argument[];
}

export interface SeccompProfile {
  readonly defaultAction: "SCMP_ACT_ERRNO";
  readonly defaultErrnoRet: number;
  readonly architectures: readonly [string];
  readonly syscalls: readonly SeccompRule[];
}

export interface FilterOptions {
  readonly nameAll?: boolean;
  /** TCP within the box. */
  readonly loopback?: boolean;
  /** Whole files can be locked. */
  readonly locks?: boolean;
  /** Drivers of GPUs can be spoken to. */
  readonly devices?: boolean;
}

/**
 * Calls that answer ENOSYS need no rule: they are named only to give the reason. But an engine may overlook that this is the
 * default (Docker 20.10 does), and answer EPERM, where the C library falls back from ENOSYS alone: `nameAll` is for it.
 */
export function seccompProfile(arch: SeccompArch, options: FilterOptions = {}): SeccompProfile {
  const { nameAll = false, loopback = false, locks = false, devices = false } = options;
  const names = (of: Pick<CallGroup, "calls" | "x86">) =>
    arch === "x86_64" ? [...of.calls, ...(of.x86 ?? [])] : of.calls;
  const granted = locks ? ["flock"] : [];
  const syscalls: SeccompRule[] = [{ names: [...ALLOWED.flatMap(names), ...granted], action: "SCMP_ACT_ALLOW" }];
  for (const errno of ["EPERM", "ENOLCK", ...(nameAll ? (["ENOSYS"] as const) : [])] as const)
    syscalls.push({
      names: REFUSED.filter((group) => group.errno === errno)
        .flatMap(names)
        .filter((call) => !granted.includes(call)),
      action: "SCMP_ACT_ERRNO",
      errnoRet: ERRNO[errno],
    });
  const replaced = loopback ? ARGUMENT_RULES.flatMap((rule) => (rule.loopback ? rule.calls : [])) : [];
  for (const rule of ARGUMENT_RULES) {
    if (names(rule).length === 0) continue;
    if (rule.devices && !devices) continue;
    if (rule.loopback ? !loopback : rule.calls.some((call) => replaced.includes(call))) continue;
    for (const argument of rule.when)
      syscalls.push({
        names: names(rule),
        ...(rule.allow
          ? { action: "SCMP_ACT_ALLOW" }
          : { action: "SCMP_ACT_ERRNO", errnoRet: ERRNO[rule.errno ?? "EPERM"] }),
        args: "op" in argument ? [argument] : argument,
      });
  }
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: ERRNO.ENOSYS,
    architectures: [arch === "x86_64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"],
    syscalls,
  };
}

/** The filter of this machine. Throws a RangeError on a processor there is none for. */
export function hostSeccompArch(arch: string = process.arch): SeccompArch {
  if (arch === "x64") return "x86_64";
  if (arch === "arm64") return "aarch64";
  throw new RangeError(`there is no system-call filter for ${arch}`);
}

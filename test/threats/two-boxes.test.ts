/**
 * Two boxes at once: nothing that one does with locks, watches, names or counted things reaches the other. The same two
 * programs in one box show that the signal would have been noticed, or that its sender was refused to begin with.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KINDS, Lines, openStage, pythonOf, runProgram, type Stage, start } from "./support/boxes.ts";
import { leftovers, NOTHING, ownerName } from "./support/leftovers.ts";
import { ALSO_REFUSED, REFUSALS } from "./support/lines.ts";

const FILE = "two_boxes.py";

/** In the order of the program's table, by line of the threat list. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  "file locks": ["flock", "posix_lock", "open_file_lock", "proc_locks"],
  leases: ["lease"],
  "inotify and fanotify": ["inotify", "dnotify", "fanotify", "inotify_instances"],
  "shared memory and other IPC": [
    "sysv_memory",
    "sysv_semaphore",
    "sysv_queue",
    "posix_memory",
    "posix_queue",
    "tmp_file",
    "var_tmp_file",
  ],
  sockets: ["abstract_socket", "path_socket", "loopback_socket"],
  keyrings: ["keyring"],
  "the kernel's counts": ["pseudo_terminals", "pseudo_terminal_count", "aio_count"],
  processes: ["process_seen"],
};
const ALL = Object.values(METHODS).flat();

/** Methods that the box's filter leaves to its program, so that within one box the signal must arrive. */
const ALLOWED_WITHIN: readonly string[] = [
  "posix_memory",
  "tmp_file",
  "abstract_socket",
  "path_socket",
  "process_seen",
];

const refusals = (name: string): readonly string[] => [...REFUSALS, ...(ALSO_REFUSED[name] ?? [])];

interface Result {
  readonly result: string;
  readonly note: string;
}
type Results = Readonly<Record<string, Result>>;

let stage: Stage;
let owner: string;
beforeAll(async () => {
  stage = await openStage();
  owner = ownerName(stage.runDir)!;
});
afterAll(async () => {
  await stage.close();
  expect(leftovers(stage, owner)).toEqual(NOTHING);
});

describe.each(KINDS)("$name", ({ name: kind, runtime, image }) => {
  const config = JSON.stringify({ word: `two-${process.pid}-${kind}` });
  const limits = { pids: 200, openFiles: 8192, wallSeconds: 60 };
  let held: Results;
  let probed: Results;
  let within: { readonly hold: Results; readonly probe: Results };
  const users: (string | undefined)[] = [];

  beforeAll(async () => {
    const program = (role: string) => ({ runtime, image, file: FILE, args: [config, role], limits });
    const [prober, holder] = [await start(stage, program("probe")), await start(stage, program("hold"))];
    const errors: string[] = [];
    for (const box of [prober, holder]) box.stderr.on("data", (piece: Buffer) => errors.push(piece.toString()));
    const [probing, holding] = [new Lines(prober.stdout), new Lines(holder.stdout)];
    try {
      expect(await probing.next()).toBe('"watching"');
      held = JSON.parse(await holding.next());
      holder.stdin.write("\n");
      expect(await holding.next()).toBe('"touched"');
      for (const role of ["probe", "hold"]) users.push(userOf(pythonOf(stage, image).path, stage.marker, role));
      prober.stdin.write("\n");
      probed = JSON.parse(await probing.next());
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${errors.join("")}`, { cause: error });
    } finally {
      for (const box of [prober, holder]) box.kill("done");
      await Promise.all([prober.ended, holder.ended]);
    }
    const ran = await runProgram(stage, program("both"));
    expect(ran.end.cause, ran.stderr).toEqual({ kind: "exit", code: 0 });
    within = JSON.parse(ran.stdout);
  }, 120_000);

  for (const [line, names] of Object.entries(METHODS))
    describe(line, () => {
      it.each(names)("%s carries no signal to another box", (name) => {
        const { result, note } = probed[name] ?? { result: "not tried", note: "" };
        expect(refusals(name), `${result}: ${note}; held: ${JSON.stringify(held[name])}`).toContain(result);
      });
      it.each(names)("%s would have been noticed, or is refused", (name) => {
        const arrived = within.probe[name]!.result === "ok";
        const refused = [held[name]!.result, within.hold[name]!.result, within.probe[name]!.result];
        if (!arrived)
          expect(
            refused.some((result) => refusals(name).includes(result)),
            refused.join(", "),
          ).toBe(true);
      });
    });

  it.each(ALLOWED_WITHIN)("%s works within one box", (name) => {
    expect(`${within.probe[name]!.result}: ${within.probe[name]!.note}`).toMatch(/^ok/);
  });

  it("knows every method that the program tries", () => {
    expect(Object.keys(probed).filter((name) => !ALL.includes(name))).toEqual([]);
  });

  it.skipIf(runtime === "runsc")("gives each box a user of its own", () => {
    expect(users[0]).toMatch(/^\d+$/);
    expect(users[1]).toMatch(/^\d+$/);
    expect(users[0]).not.toBe(users[1]);
    expect(users).not.toContain("0");
  });
});

/** The host's user id of the box's process that plays this role. */
function userOf(python: string, marker: string, role: string): string | undefined {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      // The runtime's own processes have our words among theirs, but do not begin with the interpreter.
      if (words[0] === python && words.includes(role) && words.includes(marker))
        return /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    } catch {
      // It ended meanwhile.
    }
  }
  return undefined;
}

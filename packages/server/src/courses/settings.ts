/** A task's settings: as they are stored, complete, and as messages. Times are columns of the task's row; the rest is JSON. */
import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import {
  AgentSplit,
  LatePolicy,
  TaskCounts,
  type TaskSettings,
  TaskSettingsSchema,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import { z } from "zod";

export const storedSettings = z.strictObject({
  latePolicy: z.enum(["none", "refuse", "per-hour", "per-day"]),
  latePercent: z.number(),
  /** 0: everything may be taken off. */
  lateCapPercent: z.number(),
  graceMinutes: z.int(),
  /** 0: no bound; so it is of the next ones, or the bundle's own holds. */
  dailyLimit: z.int(),
  maxBytes: z.int(),
  caseSeconds: z.int(),
  memoryBytes: z.int(),
  gpus: z.int(),
  vramBytes: z.int(),
  queue: z.string(),
  tier: z.string(),
  counts: z.enum(["best", "last"]),
  points: z.number(),
  /** Rows that are older say nothing of it. */
  split: z.enum(["prefer", "require"]).default("prefer"),
});
export type StoredSettings = z.infer<typeof storedSettings>;

export interface Times {
  readonly opens_at: Date | null;
  readonly deadline: Date | null;
  readonly closes_at: Date | null;
}

export const settingsOf = (task: { readonly settings: unknown }): StoredSettings => storedSettings.parse(task.settings);

const POLICIES = {
  [LatePolicy.UNSPECIFIED]: "none",
  [LatePolicy.NONE]: "none",
  [LatePolicy.REFUSE]: "refuse",
  [LatePolicy.PER_HOUR]: "per-hour",
  [LatePolicy.PER_DAY]: "per-day",
} as const;
const POLICY_NUMBERS = {
  none: LatePolicy.NONE,
  refuse: LatePolicy.REFUSE,
  "per-hour": LatePolicy.PER_HOUR,
  "per-day": LatePolicy.PER_DAY,
} as const;
const TIERS = ["container", "gvisor", "docker", "none"];

const LEAST_MEMORY = 16 * 2 ** 20;
/** What PostgreSQL and ISO 8601 both write with four digits of a year. */
const EARLIEST = Date.UTC(1970, 0, 1);
const LATEST = Date.UTC(9999, 0, 1);

/** Throws LanistaError `invalid`, naming the field. */
export function settingsFrom(given: TaskSettings = create(TaskSettingsSchema)): {
  readonly times: Times;
  readonly settings: StoredSettings;
} {
  const wrong = (field: string, message: string): LanistaError =>
    new LanistaError("invalid", message, { field: `settings.${field}` });
  const date = (field: string, stamp: Timestamp | undefined): Date | null => {
    if (stamp === undefined) return null;
    const at = timestampDate(stamp);
    if (!(at.getTime() >= EARLIEST && at.getTime() < LATEST)) throw wrong(field, "that is no time to come");
    return at;
  };
  const bytes = (field: string, value: bigint): number => {
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(field, "so many bytes there are not");
    return Number(value);
  };
  const times = {
    opens_at: date("opens_at", given.opensAt),
    deadline: date("deadline", given.deadline),
    closes_at: date("closes_at", given.closesAt),
  };
  if (times.deadline !== null && times.opens_at !== null && times.deadline <= times.opens_at)
    throw wrong("deadline", "the deadline must come after the opening");
  if (times.closes_at !== null && times.deadline !== null && times.closes_at < times.deadline)
    throw wrong("closes_at", "a task closes at its deadline or later");
  const latePolicy = POLICIES[given.latePolicy] ?? "none";
  const taking = latePolicy === "per-hour" || latePolicy === "per-day";
  if (taking !== given.latePercent > 0)
    throw wrong("late_percent", "a percentage is taken off by the policies per hour and per day, and by these must be");
  if (given.tier !== "" && !TIERS.includes(given.tier))
    throw wrong("tier", `there is no such tier; there are ${TIERS.join(", ")}`);
  if (given.gpus > 0 && given.tier !== "" && given.tier !== "container")
    throw wrong("gpus", "only the tier container can give GPUs");
  if (given.vramBytes > 0n && given.gpus === 0)
    throw wrong("vram_bytes", "a bound on GPUs' memory says nothing without GPUs: say how many (gpus), too");
  if (given.memoryBytes > 0n && given.memoryBytes < BigInt(LEAST_MEMORY))
    throw wrong("memory_bytes", `no agent runs in less than ${LEAST_MEMORY} bytes`);
  return {
    times,
    settings: {
      latePolicy,
      latePercent: given.latePercent,
      lateCapPercent: given.lateCapPercent,
      graceMinutes: given.graceMinutes,
      dailyLimit: given.dailyLimit,
      maxBytes: bytes("max_bytes", given.maxBytes),
      caseSeconds: given.caseSeconds,
      memoryBytes: bytes("memory_bytes", given.memoryBytes),
      gpus: given.gpus,
      vramBytes: bytes("vram_bytes", given.vramBytes),
      queue: given.queue || "default",
      tier: given.tier || "container",
      counts: given.counts === TaskCounts.LAST ? "last" : "best",
      points: given.points,
      split: given.split === AgentSplit.REQUIRE ? "require" : "prefer",
    },
  };
}

export function settingsMessage(times: Times, settings: StoredSettings): TaskSettings {
  const { opens_at, deadline, closes_at } = times;
  return create(TaskSettingsSchema, {
    ...settings,
    ...(opens_at === null ? {} : { opensAt: timestampFromDate(opens_at) }),
    ...(deadline === null ? {} : { deadline: timestampFromDate(deadline) }),
    ...(closes_at === null ? {} : { closesAt: timestampFromDate(closes_at) }),
    latePolicy: POLICY_NUMBERS[settings.latePolicy],
    maxBytes: BigInt(settings.maxBytes),
    memoryBytes: BigInt(settings.memoryBytes),
    vramBytes: BigInt(settings.vramBytes),
    counts: settings.counts === "last" ? TaskCounts.LAST : TaskCounts.BEST,
    split: settings.split === "require" ? AgentSplit.REQUIRE : AgentSplit.PREFER,
  });
}

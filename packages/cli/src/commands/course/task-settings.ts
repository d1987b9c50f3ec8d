/** A task's settings on the command line: those of a new one, and what changes of another's. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  AgentSplit,
  LatePolicy,
  TaskCounts,
  type TaskSettings,
  TaskSettingsSchema,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import { type Command, Option } from "commander";
import { integer, moment, number, orNone } from "../../option-values.ts";

const POLICIES = {
  none: LatePolicy.NONE,
  refuse: LatePolicy.REFUSE,
  "per-hour": LatePolicy.PER_HOUR,
  "per-day": LatePolicy.PER_DAY,
} as const;
const SPLITS = { prefer: AgentSplit.PREFER, require: AgentSplit.REQUIRE } as const;
const COUNTS = { best: TaskCounts.BEST, last: TaskCounts.LAST } as const;

export interface SettingOptions {
  readonly opens?: Date | "none";
  readonly deadline?: Date | "none";
  readonly closes?: Date | "none";
  readonly latePolicy?: keyof typeof POLICIES;
  readonly latePercent?: number;
  readonly lateCap?: number;
  readonly grace?: number;
  readonly dailyLimit?: number;
  readonly maxBytes?: number;
  readonly caseTime?: number;
  readonly memoryMb?: number;
  readonly gpus?: number;
  readonly vramMb?: number;
  readonly queue?: string;
  readonly tier?: string;
  readonly counts?: keyof typeof COUNTS;
  readonly points?: number;
  readonly split?: keyof typeof SPLITS;
}

const MIB = 2 ** 20;

export function addSettingOptions(command: Command): Command {
  const choice = (flags: string, what: string, choices: object): Option =>
    new Option(flags, what).choices(Object.keys(choices));
  return command
    .option("--opens <time>", "students see it from then on; none: at once", orNone(moment))
    .option("--deadline <time>", "later is late; none: nothing is", orNone(moment))
    .option("--closes <time>", "nothing is taken from then on; none: never", orNone(moment))
    .addOption(choice("--late-policy <policy>", "what becomes of what is late", POLICIES))
    .option("--late-percent <n>", "of the points, off for each hour or day begun", number(100))
    .option("--late-cap <n>", "percent that are taken off at most; 0: all", number(100))
    .option("--grace <minutes>", "after the deadline, in which nothing is late", integer(0, 100_000))
    .option("--daily-limit <n>", "submissions of one student in a day; 0: no bound", integer(0, 100_000))
    .option("--max-bytes <n>", "of one submission; 0: the server's bound", integer(0, 2 ** 40))
    .option("--case-time <seconds>", "for one case at most; 0: the bundle's", integer(0, 86_400))
    .option("--memory-mb <n>", "of each sandbox; 0: the bundle's", integer(0, 2 ** 20))
    .option("--gpus <n>", "of a worker, that agents are given for themselves (tier container)", integer(0, 64))
    .option("--vram-mb <n>", "of memory on each of them: must be free, and no box may take more", integer(0, 2 ** 20))
    .option("--queue <queue>", "where its gradings wait")
    .option("--tier <tier>", "the sandboxes' tier: container, gvisor or docker")
    .addOption(choice("--counts <which>", "which submission counts", COUNTS))
    .option("--points <n>", "what full marks are; 0: the bundle's", number(1_000_000))
    .addOption(
      choice("--split <when>", "of aiVLE's graders: whether the agent must be kept in a box of its own", SPLITS),
    );
}

/** Only what was given, over `before`. */
export function givenSettings(options: SettingOptions, before = create(TaskSettingsSchema)): TaskSettings {
  const settings = create(TaskSettingsSchema, before);
  const { opens, deadline, closes, latePolicy, counts, split, maxBytes, memoryMb, vramMb } = options;
  const set = <Key extends keyof TaskSettings>(key: Key, value: TaskSettings[Key] | undefined): void => {
    if (value !== undefined) settings[key] = value;
  };
  const when = (key: "opensAt" | "deadline" | "closesAt", time: Date | "none" | undefined): void => {
    if (time === undefined) return;
    if (time === "none") delete settings[key];
    else settings[key] = timestampFromDate(time);
  };
  when("opensAt", opens);
  when("deadline", deadline);
  when("closesAt", closes);
  set("latePolicy", latePolicy === undefined ? undefined : POLICIES[latePolicy]);
  set("latePercent", options.latePercent);
  // A percentage has no meaning without one of the two policies that take it off.
  if (latePolicy === "none" || latePolicy === "refuse") settings.latePercent = options.latePercent ?? 0;
  set("lateCapPercent", options.lateCap);
  set("graceMinutes", options.grace);
  set("dailyLimit", options.dailyLimit);
  set("maxBytes", maxBytes === undefined ? undefined : BigInt(maxBytes));
  set("caseSeconds", options.caseTime);
  set("memoryBytes", memoryMb === undefined ? undefined : BigInt(memoryMb * MIB));
  set("gpus", options.gpus);
  set("vramBytes", vramMb === undefined ? undefined : BigInt(vramMb * MIB));
  set("queue", options.queue);
  set("tier", options.tier);
  set("counts", counts === undefined ? undefined : COUNTS[counts]);
  set("points", options.points);
  set("split", split === undefined ? undefined : SPLITS[split]);
  return settings;
}

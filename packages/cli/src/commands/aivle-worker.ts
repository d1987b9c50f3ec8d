/** `lanista aivle-worker`: in the place of aiVLE's own worker, beside the same `.env`. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ENGINE_VERSION } from "@lanista/arena/version";
import type { Step } from "@lanista/server/aivle/self-test";
import type { AivleKey, ShownAivleSetting } from "@lanista/server/aivle/settings";
import type { AivleWorkerOptions } from "@lanista/server/aivle/worker";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { seconds } from "../option-values.ts";
import { GUEST_DIR } from "../places.ts";
import { table } from "../table.ts";
import { oneLine, painter, printable, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

const DRAIN_SECONDS = 90;
const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

interface Options {
  readonly queue?: string;
  readonly concurrency?: string;
  readonly workerName?: string;
  readonly zmqPort?: string;
  readonly tier?: string;
  readonly giveUp?: string;
  readonly gpus?: string;
  readonly tempDir?: string;
  readonly journalDir?: string;
  readonly drainSeconds: number;
  readonly logLevel: (typeof LEVELS)[number];
  readonly selfTest?: true;
  readonly grader?: string;
  readonly agent?: string;
  readonly printSettings?: true;
  readonly json?: true;
}

const FLAGS = [
  "queue",
  "concurrency",
  "workerName",
  "zmqPort",
  "tier",
  "giveUp",
  "gpus",
  "tempDir",
  "journalDir",
] as const satisfies readonly AivleKey[];

export function aivleWorkerCommand(context: Context): Command {
  return new Command("aivle-worker")
    .description("serve an aiVLE site in the place of its own worker, beside the same .env")
    .option("--queue <queue>", "the site's queue (default: TASK_QUEUE, or default)")
    .option("--concurrency <n>", "jobs at a time (default: CELERY_CONCURRENCY, or 1)")
    .option(
      "--worker-name <name>",
      "what the site calls it, before @ and the host's name (default: WORKER_NAME, or celery)",
    )
    .option("--zmq-port <port>", "taken for aiVLE's sake, and unused: nothing listens here")
    .option("--tier <tier>", "the sandboxes' tier (default: LANISTA_AIVLE_TIER, or container)")
    .option("--give-up <limits>", "go on without these limits where this host cannot enforce them (cpus,pids,…)")
    .option(
      "--gpus <devices>",
      "devices that sandboxes are given, by CDI name, with commas (default: LANISTA_AIVLE_GPUS)",
    )
    .option(
      "--temp-dir <dir>",
      "where zips are kept while a job runs (default: LANISTA_AIVLE_TEMP_DIR, or the system's)",
    )
    .option(
      "--journal-dir <dir>",
      "where reports are kept (default: LANISTA_AIVLE_JOURNAL_DIR, or /var/lib/lanista/aivle)",
    )
    .option(
      "--drain-seconds <n>",
      "on SIGTERM or Ctrl-C, let jobs go on for so long",
      seconds(0, 1_000_000),
      DRAIN_SECONDS,
    )
    .addOption(new Option("--log-level <level>", "what is logged, on standard error").choices(LEVELS).default("info"))
    .option("--self-test", "show that the set-up works: site, broker, sandboxes; touches no job of the site's")
    .option("--grader <zip>", "for the self-test: this grader.zip, a path or a file:/// URL")
    .option("--agent <zip>", "for the self-test: this agent.zip")
    .option("--print-settings", "print the settings and where each comes from")
    .option("--json", "print one JSON document, with --self-test or --print-settings")
    .addHelpText(
      "after",
      `
Reads API_BASE_URL, BROKER_URI (amqp:// or sqs://), ACCESS_TOKEN, TASK_QUEUE, CELERY_CONCURRENCY and WORKER_NAME from flags, the
environment and .env in this folder, as aiVLE's worker does, and
where Python packages come from as LANISTA_AIVLE_INDEX_URL and so on (--print-settings lists them). A job's message is acknowledged once the site has its result.

The first SIGTERM or Ctrl-C drains. A second one, or the end of --drain-seconds, gives the jobs at hand back to the broker; a
SIGKILL does that by itself. The self-test ends with 1 if a step goes wrong.

Examples:
  $ cd aivle && lanista aivle-worker --self-test
  $ lanista aivle-worker --queue gpu --concurrency 4`,
    )
    .action((options: Options) => run(context, options));
}

async function run(context: Context, options: Options): Promise<void> {
  const { signal, terminal } = context;
  const [{ readAivleSettings }, { startAivleWorker }, { LegacyGrader }, { createLog }, { packageWishes }] =
    await Promise.all([
      import("@lanista/server/aivle/settings"),
      import("@lanista/server/aivle/worker"),
      import("@lanista/server/aivle/legacy-grader"),
      import("@lanista/server/ops/log"),
      import("@lanista/server/config/package-settings"),
    ]);
  const env = terminal.environment;
  const flags = Object.fromEntries(FLAGS.map((key) => [key, options[key]]));
  const { settings, shown } = readAivleSettings({ flags, env, cwd: process.cwd() });
  if (options.printSettings) {
    if (options.json) writeJson(terminal, shown);
    else writeLine(terminal, settingsTable(shown));
    return;
  }
  const zips = ownZips(options);
  const log = createLog({
    log: { level: options.selfTest ? "fatal" : options.logLevel, pretty: process.stderr.isTTY === true },
  });
  const { tier, giveUp, gpus, concurrency, packages } = settings;
  const grader = await LegacyGrader.open({
    tier,
    giveUp: giveUp as Parameters<typeof LegacyGrader.open>[0]["giveUp"],
    gpus,
    wishes: packageWishes(packages),
    guestDir: GUEST_DIR,
    concurrency,
    onUnclosed: (what, error) => log.warn(`${what}: ${(error as Error).message}`),
  });
  const base: AivleWorkerOptions = {
    settings,
    log,
    env,
    version: ENGINE_VERSION,
    grade: (request) => grader.grade(request),
  };
  try {
    if (options.selfTest) {
      await test(context, base, zips, options.json === true);
      return;
    }
    const worker = await startAivleWorker(base, signal);
    const drain = (): void => {
      context.onSecondSignal(() => void worker.stop().catch(() => {}));
      void worker.drain(options.drainSeconds).catch(() => {});
    };
    if (signal.aborted) drain();
    signal.addEventListener("abort", drain, { once: true });
    await worker.done;
  } finally {
    await grader.close();
  }
}

async function test(
  { signal, terminal, exit }: Context,
  base: AivleWorkerOptions,
  zips: { readonly grader: string; readonly agent: string } | undefined,
  json: boolean,
): Promise<void> {
  const { selfTest } = await import("@lanista/server/aivle/self-test");
  const paint = painter(terminal, terminal.stdout);
  // Settings were read and a sandbox was started, or we would not be here.
  const steps: Step[] = [
    { name: "the settings are there, and a sandbox starts", ok: true, detail: base.settings.tier },
  ];
  const show = ({ name, ok, detail }: Step): void => {
    if (!json) writeLine(terminal, `${ok ? paint("green", "✓") : paint("red", "✗")} ${name}: ${oneLine(detail)}`);
  };
  show(steps[0]!);
  const onStep = (step: Step): void => {
    steps.push(step);
    show(step);
  };
  const good = await selfTest({ ...base, ...(zips && { zips }), onStep }, signal);
  if (json) writeJson(terminal, { ok: good, steps });
  if (!good) exit(EXIT.found);
}

function ownZips({
  grader,
  agent,
  selfTest,
}: Options): { readonly grader: string; readonly agent: string } | undefined {
  if (grader === undefined && agent === undefined) return undefined;
  if (grader === undefined || agent === undefined || selfTest === undefined)
    throw new UsageError("--grader and --agent go together, and with --self-test");
  return { grader: path(grader), agent: path(agent) };
}

function path(text: string): string {
  if (!text.startsWith("file:")) return resolve(text);
  try {
    return fileURLToPath(text);
  } catch {
    throw new UsageError(`${text}: give a path, or file:/// and an absolute path`);
  }
}

function settingsTable(shown: readonly ShownAivleSetting[]): string {
  const text = (value: unknown): string => printable(Array.isArray(value) ? value.join(", ") : String(value)) || "–";
  return table(
    [{ title: "setting" }, { title: "value" }, { title: "from" }],
    shown.map(({ variable, value, from }) => [variable, text(value), from || "default"]),
  );
}

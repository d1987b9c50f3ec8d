/** `lanista worker`: a worker in this process; and what a server knows of its workers. */
import { availableParallelism } from "node:os";
import { ENGINE_VERSION } from "@lanista/arena/version";
import type { GiveUp, Tier } from "@lanista/sandbox/types";
import type { Environment, WorkerSettings } from "@lanista/server/config/worker-settings";
import type { WorkerOptions } from "@lanista/server/worker/options";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../context.ts";
import { integer, listed, repeated, seconds } from "../option-values.ts";
import { GUEST_DIR } from "../places.ts";
import { serverUrl } from "../remote/remote.ts";
import { readTokenFile } from "../remote/token-file.ts";
import { UsageError } from "../usage-error.ts";
import { watchParent } from "../watch-parent.ts";
import { workerDrain, workerList } from "./worker-manage.ts";

const DRAIN_SECONDS = 90;

interface RunOptions {
  readonly server?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly name?: string;
  readonly queue?: readonly string[];
  readonly concurrency?: number;
  readonly tier?: readonly string[];
  readonly giveUp?: readonly string[];
  readonly gpu?: readonly string[];
  readonly keepFreeCpus?: number;
  readonly keepFreeMemory?: number;
  readonly keepFreeVram?: number;
  readonly cacheDir?: string;
  readonly cacheSize?: number;
  readonly python: string;
  readonly image?: string;
  readonly drainSeconds?: number;
  readonly logLevel?: string;
  readonly config?: string;
  readonly withParent?: true;
}

export function workerCommand(context: Context): Command {
  const command = new Command("worker")
    .description("run jobs of a server on this machine; it calls the server, nothing calls it")
    .option("--server <url>", "the server (default: LANISTA_SERVER, the login's, or http://localhost:8080)")
    .option("--token <token>", "a token of the scope worker (default: LANISTA_TOKEN)")
    .option("--token-file <file>", "a file that holds the token and nothing else (default: LANISTA_TOKEN_FILE)")
    .option("--name <name>", "what people see (default: this host's name)")
    .option("--queue <queue>", "take jobs of this queue; may be repeated (default: default)", repeated)
    .option("--concurrency <n>", "jobs at a time (default: as many as CPUs)", integer(1, 1024))
    .addOption(
      new Option("--tier <tier>", "offer this tier; may be repeated (default: all that work here, but none)").argParser(
        tier,
      ),
    )
    .option(
      "--give-up <limits>",
      "offer tiers that go without these limits where this host cannot enforce them",
      listed,
    )
    .option(
      "--gpu <device>",
      "give it to jobs that ask for GPUs, to one at a time; by its CDI name such as nvidia.com/gpu=0; may be repeated",
      repeated,
    )
    .option("--keep-free-cpus <n>", "take no jobs while fewer CPUs than this are idle", seconds(0, 1024))
    .option("--keep-free-memory <size>", "take no jobs while less memory is free, such as 2GiB", bytes)
    .option("--keep-free-vram <size>", "take no jobs while less memory is free on a GPU", bytes)
    .option("--cache-dir <dir>", "keep bundles here (default: only as long as it runs)")
    .option("--cache-size <size>", "at most so much of them (default: 4GiB)", bytes)
    .option("--python <path>", "the Python of Python agents", "python3")
    .option(
      "--image <image>",
      "an OCI layout or archive as the root of Python's sandboxes in the tiers container and gvisor, not this host's /usr",
    )
    .option(
      "--drain-seconds <n>",
      "on SIGTERM or Ctrl-C, let jobs go on for so long (default: 90)",
      seconds(0, 1_000_000),
    )
    .addOption(new Option("--log-level <level>", "what is logged, on standard error (default: info)").choices(LEVELS))
    .option("--config <file>", "settings as YAML (default: lanista.yaml, if it is there; LANISTA_CONFIG)")
    .option("--with-parent", "end when the process that started this one is gone, or standard input ends")
    .addHelpText(
      "after",
      `
The first SIGTERM or Ctrl-C drains: no more jobs are taken, those that run come to their end. A second one, or the end
of --drain-seconds, stops them; the server tries them again elsewhere. A SIGKILL loses nothing either.

What no option says comes from the settings worker.concurrency, worker.queues, worker.giveUp, worker.gpus, worker.cacheBytes,
worker.packages (where Python packages come from), shutdownSeconds (for --drain-seconds), log and otel, which are found where a
server finds them: in the environment (LANISTA_WORKER_CONCURRENCY), in .env and in the file. With --with-parent nothing is looked for there.

Examples:
  $ lanista token create lab-1 --scope worker
  $ LANISTA_TOKEN=… lanista worker --server https://lanista.example.org --concurrency 4
  $ lanista worker --token-file /etc/lanista/token --queue gpu --queue default --keep-free-vram 8GiB`,
    )
    .action((options: RunOptions) => run(context, options));
  command.addCommand(workerList(context));
  command.addCommand(workerDrain(context));
  return command;
}

const LEVELS = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
const TIERS = ["container", "gvisor", "docker", "none"];

function tier(text: string, before: readonly string[] = []): readonly string[] {
  if (!TIERS.includes(text)) throw new InvalidArgumentError(`Give one of ${TIERS.join(", ")}.`);
  return [...before, text];
}

const UNITS: Readonly<Record<string, number>> = { "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function bytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError("Give a number of bytes, such as 1048576 or 2GiB.");
  return Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
}

async function run(context: Context, options: RunOptions): Promise<void> {
  const { signal } = context;
  const [{ startWorker }, { readWorkerSettings }, { createLog }, { startTracing }] = await Promise.all([
    import("@lanista/server/worker/worker"),
    import("@lanista/server/config/worker-settings"),
    import("@lanista/server/ops/log"),
    import("@lanista/server/ops/tracing"),
  ]);
  const given = context.terminal.environment;
  const { environment, settings } = readWorkerSettings(
    options.withParent ? null : { cwd: process.cwd(), env: given, configFile: options.config },
    given,
  );
  const level = (options.logLevel as (typeof LEVELS)[number] | undefined) ?? settings.logLevel;
  const log = createLog({ log: { level, pretty: settings.logPretty ?? process.stderr.isTTY === true } });
  const address = options.server ?? environment.LANISTA_SERVER;
  const server = await serverUrl(context, address === undefined ? {} : { server: address });
  const token = await readToken(environment, options);
  // Before anything that takes a while: a parent may be gone by then.
  const parent = options.withParent ? watchParent() : undefined;
  const collector = settings.collector;
  const endTracing = collector === "" ? undefined : await startTracing(collector, "lanista-worker");
  const worker = await startWorker({ ...workerOptions(options, settings), server, token, log });
  const drain = (): void => {
    context.onSecondSignal(() => void worker.stop().catch(() => {}));
    void worker.drain(options.drainSeconds ?? settings.drainSeconds ?? DRAIN_SECONDS).catch(() => {});
  };
  if (signal.aborted) drain();
  signal.addEventListener("abort", drain, { once: true });
  void parent?.gone.then(() => {
    log.warn("the process that started this worker is gone");
    return worker.abandon();
  });
  try {
    await worker.done;
  } finally {
    parent?.close();
    await endTracing?.();
    signal.removeEventListener("abort", drain);
  }
}

function workerOptions(options: RunOptions, settings: WorkerSettings): Omit<WorkerOptions, "server" | "token" | "log"> {
  const { name, tier: tiers, cacheDir, python, image } = options;
  const { queue = settings.queues, giveUp = settings.giveUp, cacheSize = settings.cacheBytes } = options;
  const { gpu = settings.gpus } = options;
  const { packages } = settings;
  const { keepFreeCpus, keepFreeMemory, keepFreeVram } = options;
  return {
    version: ENGINE_VERSION,
    guestDir: GUEST_DIR,
    concurrency: options.concurrency ?? settings.concurrency ?? availableParallelism(),
    python,
    keepFree: {
      ...(keepFreeCpus === undefined ? {} : { cpus: keepFreeCpus }),
      ...(keepFreeMemory === undefined ? {} : { memoryBytes: keepFreeMemory }),
      ...(keepFreeVram === undefined ? {} : { vramBytes: keepFreeVram }),
    },
    ...(cacheSize === undefined ? {} : { cacheBytes: cacheSize }),
    ...(name === undefined ? {} : { name }),
    ...(queue === undefined ? {} : { queues: queue }),
    ...(tiers === undefined ? {} : { tiers: tiers as readonly Tier[] }),
    ...(giveUp === undefined ? {} : { giveUp: giveUp as readonly GiveUp[] }),
    ...(gpu === undefined ? {} : { gpus: gpu }),
    ...(packages === undefined ? {} : { packages }),
    ...(cacheDir === undefined ? {} : { cacheDir }),
    ...(image === undefined ? {} : { image }),
  };
}

/** Never that of the login: a worker's token opens less. */
async function readToken(environment: Environment, { token, tokenFile }: RunOptions): Promise<string> {
  if (token !== undefined) return token;
  const { LANISTA_TOKEN = "", LANISTA_TOKEN_FILE = "" } = environment;
  const file = tokenFile ?? (LANISTA_TOKEN === "" ? LANISTA_TOKEN_FILE : "");
  if (file !== "") return await readTokenFile(file);
  if (LANISTA_TOKEN !== "") return LANISTA_TOKEN;
  throw new UsageError(
    "a worker needs a token of the scope worker: give --token-file, LANISTA_TOKEN_FILE or LANISTA_TOKEN (lanista token create NAME --scope worker)",
  );
}

/**
 * The settings of aiVLE's worker under the names that its `.env` has, and ours beside them, which begin with LANISTA_AIVLE_.
 * Flags come first, then the environment, then `.env` in the working folder, then the default. `.env` belongs to whoever set up
 * the site: what else it holds is none of ours, but a name of ours that is none is refused.
 */
import { hostname, tmpdir } from "node:os";
import { LanistaError } from "@lanista/api/errors";
import { absolute, readDotEnv } from "../config/config.ts";
import { PACKAGE_SETTINGS, type PackageValues } from "../config/package-settings.ts";
import { masked } from "../config/print.ts";
import { readText, schemaOf } from "../config/schema.ts";
import { choice, count, list, path, type Setting, text, url } from "../config/setting.ts";
import { type BrokerAddress, readBrokerUri } from "./broker-uri.ts";

interface Named<T = unknown> {
  readonly variable: string;
  readonly setting: Setting<T>;
}

const own = <T>(name: string, setting: Setting<T>): Named<T> => ({ variable: `LANISTA_AIVLE_${name}`, setting });

const SETTINGS = {
  apiBaseUrl: {
    variable: "API_BASE_URL",
    setting: url(["http", "https"], "", "the site's API, as https://site.example.org/api/v1"),
  },
  brokerUri: {
    variable: "BROKER_URI",
    setting: text("", "the site's broker: amqp://…, amqps://… or sqs://…", { secret: true, placeholder: "url" }),
  },
  accessToken: {
    variable: "ACCESS_TOKEN",
    setting: text("", "a token of the site, of a lecturer or an administrator of the courses", { secret: true }),
  },
  queue: { variable: "TASK_QUEUE", setting: text("default", "the site's queue that it takes jobs from") },
  concurrency: { variable: "CELERY_CONCURRENCY", setting: count(1, 1, 256, "jobs at a time") },
  workerName: {
    variable: "WORKER_NAME",
    setting: text("celery", "what the site calls it, before @ and this host's name"),
  },
  zmqPort: {
    variable: "ZMQ_PORT",
    setting: count(15_921, 0, 65_535, "of aiVLE's worker; unused here, where nothing listens"),
  },
  tier: own(
    "TIER",
    choice(
      ["container", "gvisor", "docker", "none"],
      "container",
      "the sandboxes' tier, as its profile was in aiVLE's worker",
    ),
  ),
  giveUp: own("GIVE_UP", list("limits that sandboxes may go without, by name; see lanista doctor")),
  gpus: own("GPUS", list("devices that sandboxes are given, by their CDI names, as nvidia.com/gpu=0")),
  tempDir: own("TEMP_DIR", path("", "where the two zips are kept while a job runs; empty: the system's own")),
  journalDir: own(
    "JOURNAL_DIR",
    path(
      "",
      "where reports are kept, so that none is told twice and differently; empty: /var/lib/lanista, or a folder of the user's",
    ),
  ),
} as const;

/** Of its own name after the same prefix: LANISTA_AIVLE_INDEX_URL. */
const PACKAGES = Object.entries(PACKAGE_SETTINGS).map(([name, setting]) => ({
  name,
  ...own(name.replaceAll(/(?=[A-Z])/g, "_").toUpperCase(), setting as Setting<unknown>),
}));

type Values = { [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K]["setting"] extends Setting<infer V> ? V : never };
export type AivleKey = keyof Values;
export const AIVLE_KEYS = Object.keys(SETTINGS) as readonly AivleKey[];
export const aboutSetting = (key: AivleKey): Setting<unknown> => SETTINGS[key].setting;

export interface AivleSettings extends Omit<Values, "brokerUri" | "zmqPort"> {
  readonly packages: PackageValues;
  readonly broker: BrokerAddress;
  /** As the site's remote control addresses it: `celery@host`. */
  readonly fullName: string;
}

export interface ShownAivleSetting {
  readonly variable: string;
  /** Masked, if it is a secret. */
  readonly value: unknown;
  /** `--queue`, `environment`, `.env`; empty for a default. */
  readonly from: string;
}

export interface AivleSources {
  /** What was given as flags, as text. */
  readonly flags: Readonly<Partial<Record<AivleKey, string>>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

const REQUIRED: readonly AivleKey[] = ["apiBaseUrl", "brokerUri", "accessToken"];

/** Throws LanistaError `invalid`, a line for each thing that is wrong. */
export function readAivleSettings(sources: AivleSources): {
  readonly settings: AivleSettings;
  readonly shown: readonly ShownAivleSetting[];
} {
  const { cwd } = sources;
  const places = [
    ["environment", sources.env],
    [".env", readDotEnv(cwd)],
  ] as const;
  const problems = places.flatMap(([place, variables]) =>
    unknownOfOurs(variables).map((name) => `${place}: ${name} is no setting`),
  );
  const shown: ShownAivleSetting[] = [];
  const readOne = ({ variable, setting }: Named, flag?: string, required = false): unknown => {
    // An empty variable is an unset one, as elsewhere.
    const place = flag === undefined ? places.find(([, variables]) => (variables[variable] ?? "") !== "") : undefined;
    const from = flag === undefined ? (place?.[0] ?? "") : "flag";
    const given = flag ?? place?.[1][variable];
    const parsed = schemaOf(setting).safeParse(given === undefined ? setting.fallback : readText(setting, given));
    let value: unknown;
    if (!parsed.success) problems.push(`${from}: ${variable}: ${parsed.error.issues[0]?.message ?? "is not valid"}`);
    else if (required && parsed.data === "") problems.push(`${variable} is not set`);
    else value = setting.path ? absolute(parsed.data, cwd) : parsed.data;
    shown.push({ variable, value: setting.secret ? hidden(value) : value, from });
    return value;
  };
  const read = Object.fromEntries(
    AIVLE_KEYS.map((key) => [key, readOne(SETTINGS[key], sources.flags[key], REQUIRED.includes(key))]),
  ) as Values;
  const packages = Object.fromEntries(PACKAGES.map((one) => [one.name, readOne(one)])) as unknown as PackageValues;
  let broker: BrokerAddress | undefined;
  if (problems.length === 0)
    try {
      broker = readBrokerUri(read.brokerUri);
      checkNames(read);
    } catch (error) {
      problems.push((error as Error).message);
    }
  if (broker === undefined || problems.length > 0)
    throw new LanistaError("invalid", problems.join("\n"), {
      hint: "They are read from the .env of aiVLE's worker in this folder; see docs/aivle-worker.md.",
    });
  const { brokerUri: _, zmqPort: __, ...rest } = read;
  const fullName = `${rest.workerName}@${hostname()}`;
  return { settings: { ...rest, tempDir: rest.tempDir || tmpdir(), broker, fullName, packages }, shown };
}

function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  const text = String(value ?? "");
  return text === "" || text.includes("://") ? masked(text) : "***";
}

function unknownOfOurs(variables: Readonly<Record<string, string | undefined>>): readonly string[] {
  const known = [...AIVLE_KEYS.map((key) => SETTINGS[key]), ...PACKAGES].map(({ variable }) => variable);
  return Object.keys(variables).filter((name) => name.startsWith("LANISTA_AIVLE_") && !known.includes(name));
}

export const QUEUE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/;

function checkNames({ queue, workerName, accessToken, apiBaseUrl }: Values): void {
  if (!QUEUE_NAME.test(queue))
    throw new Error(`TASK_QUEUE: "${queue}" is no queue's name; it is one queue, such as default`);
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(workerName)) throw new Error("WORKER_NAME: letters, digits, dots, - and _ only");
  if (!/^[\x21-\x7e]+$/.test(accessToken)) throw new Error("ACCESS_TOKEN: holds what no token holds");
  const { search, hash, username } = new URL(apiBaseUrl);
  if (search !== "" || hash !== "" || username !== "") throw new Error("API_BASE_URL: has more than a host and a path");
}

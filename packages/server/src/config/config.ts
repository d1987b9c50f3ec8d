/**
 * The server's configuration, from five places. The first that names a setting decides it: flags, the environment,
 * `.env`, the file (`lanista.yaml`, or what --config names), the default. A name that is no setting is refused wherever
 * it stands, and every refusal says where.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { parseEnv } from "node:util";
import { LanistaError } from "@lanista/api/errors";
import { readConfigFile } from "./config-file.ts";
import { readText, schemaOf } from "./schema.ts";
import { isSetting, type NamedSetting, namedSettings, SETTINGS, type ServerConfig } from "./settings.ts";

export type { ServerConfig } from "./settings.ts";

export interface Origin {
  readonly from: "flag" | "environment" | ".env" | "file" | "default";
  /** `--http-port`, `LANISTA_HTTP_PORT`, `/etc/lanista.yaml:3`; empty for a default. */
  readonly place: string;
}

export interface LoadedConfig {
  readonly config: ServerConfig;
  /** By the setting's name: `http.port`. */
  readonly origins: Readonly<Record<string, Origin>>;
}

export interface ConfigSources {
  /** By the setting's name (`http.port`), the text behind the flag. */
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where `.env` and `lanista.yaml` are looked for, and what relative paths start at. */
  readonly cwd: string;
  /** Must be there if named; also LANISTA_CONFIG. */
  readonly configFile?: string | undefined;
}

/** Variables that are other parts' to read: the client's, the sandbox's, the compose file's, that of aiVLE's worker, the tests'. */
const OTHER_VARIABLES =
  /^LANISTA_(CONFIG|SERVER|TOKEN|TOKEN_FILE|RUN_DIR|CACHE_DIR|CDI_DIRS|NVML|DB_PASSWORD|WORKER_TOKEN|CANARY|KILLS|MARKER|MATCHES|STARVED|(AIVLE|TEST|CHAOS|BENCH|VM)_.*)$/;
/** What Kubernetes tells every pod of a service that is called `lanista` or `lanista-…`. */
const serviceLink = (name: string, value: string): boolean =>
  /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP)(_|$)/.test(name) ||
  (name.endsWith("_PORT") && /^(tcp|udp):/.test(value));
const DEFAULT_FILE = "lanista.yaml";
const MOST_FILE_BYTES = 1024 * 1024;

/** A value that some place gives. */
export interface Given {
  readonly value: unknown;
  readonly origin: Origin;
  /** What relative paths start at. */
  readonly base: string;
}

/** Throws LanistaError `invalid` whose message has one line for each thing that is wrong. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const { cwd, env = {}, flags = {} } = sources;
  const settings = namedSettings();
  const problems: string[] = [];
  const dotEnv = readDotEnv(cwd);
  for (const [name, variables] of [
    ["the environment", env],
    [".env", dotEnv],
  ] as const)
    problems.push(...unknownVariables(settings, variables).map((variable) => `${name}: ${variable} is no setting`));
  for (const key of Object.keys(flags))
    if (!settings.some((each) => each.key === key)) problems.push(`flags: ${key} is no setting`);
  const file = fileValues(sources, dotEnv, problems);

  const values = new Map<string, unknown>();
  const origins: Record<string, Origin> = {};
  for (const named of settings) {
    const { key, setting } = named;
    const given = fromFlag(named, flags[key], cwd) ??
      fromVariables(named, env, "environment", cwd) ??
      fromVariables(named, dotEnv, ".env", cwd) ??
      file.get(key) ?? { value: setting.fallback, origin: { from: "default", place: "" } as const, base: cwd };
    origins[key] = given.origin;
    const parsed = schemaOf(setting).safeParse(given.value);
    if (parsed.success) values.set(key, setting.path ? absolute(parsed.data, given.base) : parsed.data);
    else
      problems.push(
        `${given.origin.place || "the default"}: ${key}: ${parsed.error.issues[0]?.message ?? "is not valid"}`,
      );
  }
  if (problems.length === 0) problems.push(...contradictions(values));
  if (problems.length > 0)
    throw new LanistaError("invalid", problems.join("\n"), { hint: "`lanista config print` shows every setting." });
  return { config: nested(SETTINGS, "", values) as ServerConfig, origins };
}

const fromFlag = ({ setting, flag }: NamedSetting, text: string | undefined, base: string): Given | undefined =>
  text === undefined ? undefined : { value: readText(setting, text), origin: { from: "flag", place: flag }, base };

function fromVariables(
  { setting, variables }: NamedSetting,
  env: Readonly<Record<string, string | undefined>>,
  from: "environment" | ".env",
  base: string,
): Given | undefined {
  // An empty variable is an unset one: compose files pass those on.
  const name = variables.find((variable) => (env[variable] ?? "") !== "");
  return name === undefined
    ? undefined
    : { value: readText(setting, env[name] ?? ""), origin: { from, place: name }, base };
}

function fileValues(
  { cwd, env = {}, configFile }: ConfigSources,
  dotEnv: Readonly<Record<string, string | undefined>>,
  problems: string[],
): ReadonlyMap<string, Given> {
  const named = configFile ?? (env.LANISTA_CONFIG || dotEnv.LANISTA_CONFIG || undefined);
  const path = resolve(cwd, named ?? DEFAULT_FILE);
  if (!existsSync(path)) {
    if (named !== undefined) problems.push(`${path}: there is no such file`);
    return new Map();
  }
  const shown = named ?? DEFAULT_FILE;
  const read = readConfigFile(readBounded(path), shown);
  problems.push(...read.problems);
  const base = dirname(path);
  return new Map(
    [...read.values].map(([key, { value, place }]) => [key, { value, origin: { from: "file", place } as const, base }]),
  );
}

/** The variables that `.env` in this folder has; none where there is no such file. */
export function readDotEnv(cwd: string): Readonly<Record<string, string | undefined>> {
  const path = resolve(cwd, ".env");
  return existsSync(path) ? parseEnv(readBounded(path)) : {};
}

function readBounded(path: string): string {
  const { size } = statSync(path);
  if (size > MOST_FILE_BYTES) throw new LanistaError("invalid", `${path}: is larger than ${MOST_FILE_BYTES} bytes`);
  return readFileSync(path, "utf8");
}

function unknownVariables(
  settings: readonly NamedSetting[],
  env: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const known = new Set(settings.flatMap(({ variables }) => variables));
  return Object.entries(env)
    .filter(([name, value = ""]) => !OTHER_VARIABLES.test(name) && !serviceLink(name, value))
    .map(([name]) => name)
    .filter((name) => name.startsWith("LANISTA_") && !known.has(name));
}

/** Of one path or several; nothing stays nothing. */
export function absolute(value: unknown, base: string): unknown {
  if (Array.isArray(value)) return value.map((one) => resolve(base, String(one)));
  return value === "" ? "" : resolve(base, String(value));
}

function contradictions(values: ReadonlyMap<string, unknown>): readonly string[] {
  const seconds = Number(values.get("lease.seconds"));
  const beat = Number(values.get("lease.heartbeatSeconds"));
  return beat * 2 > seconds
    ? [`lease.heartbeatSeconds (${beat}) must be at most half of lease.seconds (${seconds})`]
    : [];
}

function nested(group: object, prefix: string, values: ReadonlyMap<string, unknown>): unknown {
  return Object.fromEntries(
    Object.entries(group).map(([name, value]) => {
      const key = prefix + name;
      return [name, isSetting(value) ? values.get(key) : nested(value, `${key}.`, values)];
    }),
  );
}

/**
 * Every setting of the server, once: names, types, defaults. A setting `http.port` is `--http-port` on the command line,
 * `LANISTA_HTTP_PORT` in the environment and in `.env`, and `http: {port: …}` in the file.
 */
import { PACKAGE_SETTINGS } from "./package-settings.ts";
import { bytes, choice, count, flag, list, path, port, type Setting, text, url } from "./setting.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

export const SETTINGS = {
  dataDir: path("lanista-data", "the folder that holds everything: database, bundles, replays"),
  publicUrl: url(["http", "https"], "", "how others reach the server; empty: its own host and port"),
  databaseUrl: url(["postgres", "postgresql"], "", "an outside PostgreSQL; empty: one of its own in the data folder", {
    secret: true,
  }),
  databasePool: count(10, 2, 500, "connections to the database at most"),
  signup: choice(
    ["open", "invited", "closed"],
    "invited",
    "who may make an account: anybody, who holds an invitation, nobody",
  ),
  unreadySeconds: count(
    0,
    0,
    600,
    "how long it goes on as before with /readyz failing when asked to end, for balancers to see it",
  ),
  shutdownSeconds: count(30, 0, 3600, "how long running calls and matches may go on when the server is asked to end"),
  http: {
    host: text("127.0.0.1", "the address HTTP listens on; 0.0.0.0: every one"),
    port: port(8080, "HTTP's port"),
    trustedProxies: list("addresses or networks (10.0.0.0/8) whose X-Forwarded-For is believed"),
  },
  grpc: {
    enabled: flag(true, "serve gRPC on a port of its own (HTTP/2 without TLS)"),
    host: text("127.0.0.1", "the address gRPC listens on"),
    port: port(50_051, "gRPC's port"),
  },
  metrics: {
    enabled: flag(true, "serve Prometheus metrics on a port of their own"),
    host: text("127.0.0.1", "the address metrics listen on"),
    port: port(9464, "the metrics' port"),
  },
  store: {
    url: text("", "bundles and replays: a folder or s3://bucket/prefix; empty: the data folder", {
      secret: true,
      placeholder: "url",
    }),
  },
  smtp: {
    url: url(["smtp", "smtps"], "", "the mail server, as smtp://user:password@host:587; empty: no mail", {
      secret: true,
    }),
    from: text("lanista@localhost", "who mails come from"),
  },
  worker: {
    embedded: flag(true, "run a worker beside the server"),
    concurrency: count(0, 0, 1024, "jobs it runs at once; 0: as many as it has processors"),
    queues: list("the queues it takes jobs from; empty: all of them"),
    tier: choice(
      ["container", "gvisor", "docker", "none"],
      "container",
      "the sandboxes' tier where a job asks for none",
    ),
    giveUp: list("limits that its sandboxes may go without, by name; see lanista doctor"),
    gpus: list(
      "devices that it gives to jobs that ask for GPUs, each to one at a time, by their CDI names as nvidia.com/gpu=0; empty: none",
    ),
    image: text(
      "",
      "an OCI layout or archive as the root of Python's sandboxes (tiers container and gvisor); empty: /usr",
    ),
    cacheBytes: bytes(4 * GIB, MIB, "the most its copies of bundles take"),
    packages: PACKAGE_SETTINGS,
  },
  lease: {
    seconds: count(30, 2, 3600, "how long a job stays a worker's that is not heard of"),
    heartbeatSeconds: count(5, 1, 1200, "how often workers are to be heard of; at most half the lease"),
  },
  limits: {
    bundleBytes: bytes(64 * MIB, 1024, "the largest bundle"),
    quotaBytes: bytes(
      GIB,
      0,
      "what one participant's bundles take in a space, where the space says nothing; 0: no limit",
    ),
    requestBytes: bytes(4 * MIB, 64 * 1024, "the largest request, uploads' parts included"),
    requestSeconds: count(30, 1, 3600, "how long a request may take to arrive"),
    connections: count(4096, 16, 1_000_000, "open connections at most"),
    ratePerMinute: count(600, 1, 1_000_000, "calls a minute of one token or, without one, one address"),
    signInPerMinute: count(10, 1, 1_000_000, "attempts to sign in a minute, of one address"),
    uploadHours: count(24, 1, 8760, "how long an upload may stay unfinished"),
  },
  executor: {
    enabled: flag(true, "serve RL Arena's executor on gRPC's port"),
    limitsFile: path("", "a limits.yaml as RL Arena has it; empty: its defaults"),
    allowHosts: list("hosts that agents' code may be fetched from (example.org, *.example.org, *); empty: none"),
    allowFileFolders: list("folders that agents' code may be read from; empty: none", { path: true }),
    allowPrivate: flag(false, "allow private and loopback addresses among those hosts"),
    maxConcurrent: count(8, 1, 10_000, "matches at once; others wait"),
    maxWaiting: count(1000, 0, 1_000_000, "matches that may wait; others are refused"),
    forfeitAfter: count(0, 0, 1_000_000, "faults of one agent that lose it the match; 0: only moves are replaced"),
    replayDir: path("", "a folder where replays are written as well; empty: none"),
    requireToken: flag(false, "refuse calls without an executor token"),
  },
  log: {
    level: choice(["trace", "debug", "info", "warn", "error", "fatal"], "info", "the least that is logged"),
    pretty: flag(false, "log for people, not machines"),
  },
  otel: {
    endpoint: url(["http", "https"], "", "where OpenTelemetry's traces go (OTLP over HTTP); empty: nowhere"),
  },
} as const;

type Values<T> = T extends Setting<infer V> ? V : { readonly [K in keyof T]: Values<T[K]> };

/** The server's configuration: every setting has a value. */
export type ServerConfig = Values<typeof SETTINGS>;

export interface NamedSetting {
  /** `http.port`. */
  readonly key: string;
  readonly setting: Setting<unknown>;
  /** `--http-port`. */
  readonly flag: string;
  /** `LANISTA_HTTP_PORT`; before others it may go by. */
  readonly variables: readonly string[];
}

/** Every setting by its name, in the order above. */
export function namedSettings(): readonly NamedSetting[] {
  return [...walk(SETTINGS, "")];
}

function* walk(group: object, prefix: string): Iterable<NamedSetting> {
  for (const [name, value] of Object.entries(group)) {
    const key = prefix + name;
    if (isSetting(value)) yield { key, setting: value, flag: `--${words(key, "-")}`, variables: variables(key) };
    else yield* walk(value, `${key}.`);
  }
}

export const isSetting = (value: unknown): value is Setting<unknown> =>
  typeof value === "object" && value !== null && "fallback" in value;

const words = (key: string, between: string): string => key.replace(/\.|(?=[A-Z])/g, between).toLowerCase();

function variables(key: string): readonly string[] {
  const own = `LANISTA_${words(key, "_").toUpperCase()}`;
  return key === "databaseUrl" ? [own, "DATABASE_URL"] : [own];
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import { shownSettings } from "./print.ts";
import { namedSettings } from "./settings.ts";
import { settingsTable } from "./settings-table.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "lanista-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const write = (name: string, text: string) => writeFileSync(join(cwd, name), text);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof LanistaError && error.code === "invalid") return error.message;
    throw error;
  }
  throw new Error("it was not refused");
}

test("without anything every setting has its default", () => {
  const { config, origins } = loadConfig({ cwd });
  expect(config.http).toEqual({ host: "127.0.0.1", port: 8080, trustedProxies: [] });
  expect(config.dataDir).toBe(join(cwd, "lanista-data"));
  expect(Object.keys(origins)).toEqual(namedSettings().map(({ key }) => key));
  expect(new Set(Object.values(origins).map(({ from }) => from))).toEqual(new Set(["default"]));
});

test("a flag goes before the environment, that before .env, that before the file", () => {
  write("lanista.yaml", "http: {port: 1}\ngrpc.port: 1\nmetrics:\n  port: 1\nlog: {level: warn}\n");
  write(".env", "LANISTA_HTTP_PORT=2\nLANISTA_GRPC_PORT=2\nLANISTA_METRICS_PORT=2\nSOMEBODY_ELSES=1\n");
  const env = { LANISTA_HTTP_PORT: "3", LANISTA_GRPC_PORT: "3", LANISTA_LOG_LEVEL: "", HOME: "/root" };
  const { config, origins } = loadConfig({ cwd, env, flags: { "http.port": "4", "grpc.port": undefined } });
  expect([config.http.port, config.grpc.port, config.metrics.port, config.log.level]).toEqual([4, 3, 2, "warn"]);
  expect(["http.port", "grpc.port", "metrics.port", "log.level", "signup"].map((key) => origins[key])).toEqual([
    { from: "flag", place: "--http-port" },
    { from: "environment", place: "LANISTA_GRPC_PORT" },
    { from: ".env", place: "LANISTA_METRICS_PORT" },
    { from: "file", place: "lanista.yaml:5" },
    { from: "default", place: "" },
  ]);
});

test("what is no setting is refused with its place, all of it at once", () => {
  write("lanista.yaml", "http:\n  port: 80\n  prot: 81\ngrpc: 5\nnothing: [1]\n");
  write(".env", "LANISTA_HTPP_PORT=1\n");
  const text = refusal(() => loadConfig({ cwd, env: { LANISTA_SIGNUPS: "x" }, flags: { "http.porty": "1" } }));
  expect(text.split("\n").sort()).toEqual([
    ".env: LANISTA_HTPP_PORT is no setting",
    "flags: http.porty is no setting",
    "lanista.yaml:3: http.prot is no setting",
    "lanista.yaml:4: grpc must hold settings",
    "lanista.yaml:5: nothing is no setting",
    "the environment: LANISTA_SIGNUPS is no setting",
  ]);
});

test.each([
  ["http.port", "65536", /--http-port: http.port: .*65535/],
  ["http.port", "eighty", /--http-port: http.port: .*number/],
  ["signup", "maybe", /--signup: signup: .*"open"/],
  ["grpc.enabled", "perhaps", /--grpc-enabled: grpc.enabled: .*boolean/],
  ["databaseUrl", "mysql://x", /--database-url: databaseUrl: must be a URL that begins with postgres:/],
  ["limits.bundleBytes", "much", /--limits-bundle-bytes: limits.bundleBytes: must be a number of bytes/],
])("%s does not take %s", (key, value, words) => {
  expect(refusal(() => loadConfig({ cwd, flags: { [key]: value } }))).toMatch(words);
});

test.each([
  ["1048576", 2 ** 20],
  ["64MiB", 2 ** 26],
  ["512m", 2 ** 29],
  ["1.5 GB", 1.5 * 2 ** 30],
])("%s is read as bytes", (text, bytes) => {
  expect(loadConfig({ cwd, env: { LANISTA_LIMITS_BUNDLE_BYTES: text } }).config.limits.bundleBytes).toBe(bytes);
});

test("paths start at the folder of who gives them", () => {
  write("lanista.yaml", "executor:\n  allowFileFolders: [agents, /srv]\n");
  const config = loadConfig({ cwd: "/", configFile: join(cwd, "lanista.yaml"), flags: { dataDir: "data" } }).config;
  expect(config.executor.allowFileFolders).toEqual([join(cwd, "agents"), "/srv"]);
  expect(config.dataDir).toBe("/data");
});

test("a file that is named must be there; one that is broken is refused with the line", () => {
  expect(refusal(() => loadConfig({ cwd, configFile: "other.yaml" }))).toMatch(/other.yaml: there is no such file/);
  write("lanista.yaml", "http:\n  port: [1\n");
  expect(refusal(() => loadConfig({ cwd }))).toMatch(/^lanista.yaml:\d+: /);
  write(
    "lanista.yaml",
    `a: &a [${"x,".repeat(100)}]\n${"b: [*a,*a,*a,*a,*a,*a]\n"}signup: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]`,
  );
  expect(refusal(() => loadConfig({ cwd }))).toMatch(/signup/);
});

test("other parts' variables, and those that Kubernetes adds for a service of our name, are nobody's mistake", () => {
  const env = {
    LANISTA_TOKEN: "x",
    LANISTA_PORT: "tcp://10.0.0.1:8080",
    LANISTA_SERVICE_HOST: "10.0.0.1",
    LANISTA_SERVICE_PORT_GRPC: "50051",
    LANISTA_PORT_8080_TCP_ADDR: "10.0.0.1",
    LANISTA_SERVER_PORT_8080_TCP: "tcp://10.0.0.1:8080",
  };
  expect(loadConfig({ cwd, env }).config).toEqual(loadConfig({ cwd }).config);
});

test("a lease must outlast two heartbeats", () => {
  const text = refusal(() => loadConfig({ cwd, flags: { "lease.seconds": "9" } }));
  expect(text).toBe("lease.heartbeatSeconds (5) must be at most half of lease.seconds (9)");
});

test("secrets are masked where the configuration is shown", () => {
  const env = {
    DATABASE_URL: "postgres://me:hush@db/lanista?sslpassword=hush&host=db",
    LANISTA_SMTP_URL: "smtp://me:hush@mail:587",
    LANISTA_STORE_URL: "s3://bucket/prefix?secretAccessKey=hush",
    LANISTA_WORKER_PACKAGES_INDEX_URL: "https://hush@packages.example.org/simple/",
    LANISTA_WORKER_PACKAGES_EXTRA_INDEX_URLS:
      "https://first.example.org/simple/,https://me:hush@second.example.org/simple/",
  };
  const shown = shownSettings(loadConfig({ cwd, env }));
  const text = JSON.stringify(shown);
  expect(text).not.toContain("hush");
  expect(text).toContain("postgres://me:***@db/lanista");
  expect(text).toContain('["https://first.example.org/simple/","https://me:***@second.example.org/simple/"]');
  expect(shown.find(({ key }) => key === "databaseUrl")).toMatchObject({ from: "environment", place: "DATABASE_URL" });
});

test("docs/operating.md lists every setting as it is", () => {
  const page = readFileSync(new URL("../../../../docs/operating.md", import.meta.url), "utf8");
  expect(page).toContain(settingsTable());
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageWishes } from "../config/package-settings.ts";
import { readBrokerUri } from "./broker-uri.ts";
import { readAivleSettings } from "./settings.ts";

const cwd = mkdtempSync(join(tmpdir(), "lanista-aivle-settings-"));
afterAll(() => rmSync(cwd, { recursive: true }));

const REQUIRED = `API_BASE_URL=https://site.example.org/api/v1
BROKER_URI=amqp://worker:secret@broker.example.org:5672/aivle
ACCESS_TOKEN=0123abcd
`;
function read(dotEnv: string, flags = {}, env = {}) {
  writeFileSync(join(cwd, ".env"), dotEnv);
  return readAivleSettings({ flags, env, cwd });
}

describe("the settings of aiVLE's worker", () => {
  it("are those of its .env, with the defaults that it has", () => {
    const { settings } = read(`${REQUIRED}SECRET_KEY=django\nDEBUG=1\n`);
    expect(settings).toMatchObject({
      apiBaseUrl: "https://site.example.org/api/v1",
      accessToken: "0123abcd",
      queue: "default",
      concurrency: 1,
      fullName: `celery@${hostname()}`,
      tier: "container",
      broker: { kind: "amqp", hosts: [{ hostname: "broker.example.org", vhost: "aivle", password: "secret" }] },
    });
  });

  it("come from flags, the environment and .env, in this order", () => {
    const dotEnv = `${REQUIRED}TASK_QUEUE=gpu\nCELERY_CONCURRENCY=2\nWORKER_NAME=one\nLANISTA_AIVLE_TEMP_DIR=grading\n`;
    const { settings, shown } = read(dotEnv, { concurrency: "4" }, { TASK_QUEUE: "private", WORKER_NAME: "" });
    expect(settings).toMatchObject({
      queue: "private",
      concurrency: 4,
      workerName: "one",
      tempDir: join(cwd, "grading"),
    });
    const from = Object.fromEntries(shown.map((each) => [each.variable, each.from]));
    expect(from).toMatchObject({
      TASK_QUEUE: "environment",
      CELERY_CONCURRENCY: "flag",
      WORKER_NAME: ".env",
      ZMQ_PORT: "",
    });
    expect(JSON.stringify(shown)).not.toMatch(/secret|0123abcd/);
  });

  it("say where packages come from, as those of the other workers do, and show no credentials of theirs", () => {
    const own = `LANISTA_AIVLE_INDEX_URL=https://me:hush@packages.example.org/simple/
LANISTA_AIVLE_EXTRA_INDEX_URLS=https://hush@other.example.org/simple/
LANISTA_AIVLE_FIND_LINKS=wheels,/srv/wheels
LANISTA_AIVLE_KEEP_BYTES=1GiB
`;
    const { settings, shown } = read(`${REQUIRED}${own}`);
    expect(packageWishes(settings.packages)).toMatchObject({
      index: {
        indexUrl: "https://me:hush@packages.example.org/simple/",
        extraIndexUrls: ["https://hush@other.example.org/simple/"],
        findLinks: [join(cwd, "wheels"), "/srv/wheels"],
      },
      keep: { maxAgeSeconds: 30 * 86_400, maxBytes: 2 ** 30 },
    });
    expect(JSON.stringify(shown)).toContain("packages.example.org");
    expect(JSON.stringify(shown)).not.toContain("hush");
  });

  it.each([
    ["nothing", "", /API_BASE_URL is not set\nBROKER_URI is not set\nACCESS_TOKEN is not set/],
    ["a name of ours that is none", `${REQUIRED}LANISTA_AIVLE_TEIR=gvisor`, /\.env: LANISTA_AIVLE_TEIR is no setting/],
    ["a number that is none", `${REQUIRED}CELERY_CONCURRENCY=0`, /\.env: CELERY_CONCURRENCY/],
    ["all queues at once", `${REQUIRED}TASK_QUEUE=gpu/private/default`, /TASK_QUEUE/],
    ["a worker's name that would be another's", `${REQUIRED}WORKER_NAME=a@b`, /WORKER_NAME/],
    ["another broker", REQUIRED.replace("amqp:", "redis:"), /BROKER_URI/],
    ["an address that is none", REQUIRED.replace("https://site", "ftp://site"), /API_BASE_URL/],
  ])("are refused with %s", (_what, dotEnv, why) => {
    expect(() => read(dotEnv)).toThrow(why);
  });
});

describe("a broker's URI", () => {
  it.each([
    ["amqp://localhost", { vhost: "/", username: "guest", password: "guest", port: 5672 }],
    ["amqp://a:b%40c@host:99//", { vhost: "/", username: "a", password: "b@c", port: 99 }],
    ["pyamqp://host/my%2Fvhost", { vhost: "my/vhost", protocol: "amqp" }],
    ["amqps://[::1]/", { vhost: "/", protocol: "amqps", hostname: "::1", port: 5671 }],
  ])("%s is read as Celery reads it", (uri, expected) => {
    expect(readBrokerUri(uri)).toMatchObject({ kind: "amqp", hosts: [expected] });
  });

  it("may name several, and SQS with or without a key", () => {
    expect(readBrokerUri("amqp://one;amqp://two")).toMatchObject({ hosts: [{ hostname: "one" }, { hostname: "two" }] });
    expect(readBrokerUri("sqs://")).toEqual({ kind: "sqs", sqs: { credentials: undefined, endpoint: undefined } });
    const credentials = { accessKeyId: "KEY", secretAccessKey: "a/b+c" };
    expect(readBrokerUri("sqs://KEY:a%2Fb%2Bc@")).toEqual({ kind: "sqs", sqs: { credentials, endpoint: undefined } });
    expect(readBrokerUri("sqs://KEY:a%2Fb%2Bc@localhost:9324//")).toMatchObject({
      sqs: { endpoint: "http://localhost:9324" },
    });
    for (const uri of ["sqs://KEY:a/b@", "redis://", "", "amqp://a;redis://b"])
      expect(() => readBrokerUri(uri)).toThrow(/BROKER_URI/);
  });
});

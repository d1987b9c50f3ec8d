/** What the examples of deploy/ ask for fits together: times to end, user ids, secrets. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { SETTINGS } from "./settings.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, "../../../../deploy", path), "utf8");

interface Container {
  readonly args: readonly string[];
  readonly env: readonly { name: string; value?: string; valueFrom?: { secretKeyRef: { key: string } } }[];
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext?: { runAsUser: number; fsGroup: number };
  readonly containers: readonly [Container];
}

const MANIFEST = read("kubernetes/lanista.yaml");

function pod(part: string): Pod {
  const found = parseAllDocuments(MANIFEST)
    .map((document) => document.toJS())
    .find(({ kind, metadata }) => kind === "Deployment" && metadata.labels.part === part);
  return found.spec.template.spec;
}

const drainOf = (words: readonly string[]): number => Number(words[words.indexOf("--drain-seconds") + 1]);

/** After a worker's --drain-seconds: its last reports, and what its boxes take to go. */
const LAST_SECONDS = 15;

test("a worker is done draining before it is killed, and uses most of the time that it is given", () => {
  const compose = parse(read("compose.yaml"), { merge: true }).services;
  const unit = read("systemd/lanista-worker.service");
  const { terminationGracePeriodSeconds, containers } = pod("worker");
  const ends: [string, number, number][] = [
    ["Kubernetes", drainOf(containers[0].args), terminationGracePeriodSeconds],
    ["compose 1", drainOf(compose["worker-1"].command), Number.parseInt(compose["worker-1"].stop_grace_period, 10)],
    ["compose 2", drainOf(compose["worker-2"].command), Number.parseInt(compose["worker-2"].stop_grace_period, 10)],
    [
      "systemd",
      drainOf(/^ExecStart=(.*)$/m.exec(unit)![1]!.split(" ")),
      60 * Number(/^TimeoutStopSec=(\d+)min$/m.exec(unit)![1]),
    ],
  ];
  for (const [where, drain, grace] of ends) {
    expect(drain + LAST_SECONDS, where).toBeLessThanOrEqual(grace);
    expect(drain, where).toBeGreaterThanOrEqual(grace * 0.7);
  }
});

test("a server has time for a balancer to look elsewhere, and for the calls in flight", () => {
  const { terminationGracePeriodSeconds, containers } = pod("server");
  const unready = Number(containers[0].env.find(({ name }) => name === "LANISTA_UNREADY_SECONDS")?.value);
  expect(unready).toBeGreaterThanOrEqual(5);
  expect(unready + 15).toBeLessThanOrEqual(terminationGracePeriodSeconds);
  const stop = Number(/^TimeoutStopSec=(\d+)$/m.exec(read("systemd/lanista.service"))![1]);
  expect(SETTINGS.shutdownSeconds.fallback + 25).toBeLessThanOrEqual(stop);
});

test("the image's user is the one that the pods run as", () => {
  const dockerfile = read("Dockerfile");
  const { runAsUser, fsGroup } = pod("server").securityContext!;
  expect(dockerfile).toMatch(new RegExp(`useradd .*--uid ${runAsUser} `));
  expect(dockerfile).toMatch(new RegExp(`groupadd .*--gid ${fsGroup} `));
});

test("every key of the secret is in the command that makes it, and the bucket's keys are among them", () => {
  const env = [...pod("server").containers[0].env, ...pod("worker").containers[0].env];
  const keys = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.key ?? []);
  for (const key of keys) expect(MANIFEST).toContain(`--from-literal=${key}=`);
  expect(env.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "LANISTA_TOKEN"]),
  );
});

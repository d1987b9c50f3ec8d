/** The typed client and the three protocols against a whole server, and the examples of docs/api.md as they stand there. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Interceptor } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { clientOf, connect, type LanistaClient } from "@lanista/api/client";
import { fromWire, LanistaError } from "@lanista/api/errors";
import { Job_State } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
let server: TestServer;
let organiser: TestPerson;

beforeAll(async () => {
  server = await testServer();
  organiser = await server.person("organiser", { administrator: true, organiser: true });
  for (const slug of ["first", "second", "third"]) await organiser.client.spaces.createSpace({ slug, title: slug });
});
afterAll(() => server?.close());

async function refusal(call: Promise<unknown>): Promise<LanistaError> {
  return await call.then(
    () => new LanistaError("internal", "it was not refused"),
    (error: unknown) => fromWire(error),
  );
}

async function waitingJob(): Promise<string> {
  const job = { kind: "noop", ownerId: organiser.id, payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 };
  return (await inTransaction(server.app, (tx) => enqueue(server.app, tx, job))).id;
}

const bearer = (): Interceptor => (next) => (request) => {
  request.header.set("authorization", `Bearer ${organiser.token}`);
  return next(request);
};

/** Every form of the protocol on every port that speaks it. */
const FORMS: Readonly<Record<string, () => LanistaClient>> = {
  "Connect with JSON": () => clientOf(createConnectTransport({ ...http1(), useBinaryFormat: false })),
  "Connect with protobuf": () => clientOf(createConnectTransport({ ...http1(), useBinaryFormat: true })),
  "gRPC-Web": () => clientOf(createGrpcWebTransport(http1())),
  "Connect over HTTP/2": () => clientOf(createConnectTransport(http2())),
  "gRPC-Web over HTTP/2": () => clientOf(createGrpcWebTransport(http2())),
  gRPC: () => clientOf(createGrpcTransport(http2())),
};
const http1 = () => ({ baseUrl: server.urls.http, httpVersion: "1.1" as const, interceptors: [bearer()] });
const http2 = () => ({ baseUrl: server.urls.grpc ?? "", httpVersion: "2" as const, interceptors: [bearer()] });

describe.each(Object.keys(FORMS))("%s", (form) => {
  const client = () => FORMS[form]?.() ?? server.client();

  it("answers", async () => {
    const { user } = await client().tokens.whoAmI({});
    expect(user).toMatchObject({ id: organiser.id, administrator: true });
    expect(user?.createdAt).toBeDefined();
  });

  it("refuses with the server's own code, hint and field", async () => {
    const missing = await refusal(client().spaces.getSpace({ space: "nowhere" }));
    expect(missing).toMatchObject({ name: "LanistaError", code: "not_found" });
    const invalid = await refusal(client().jobs.getJob({ jobId: "one" }));
    expect(invalid).toMatchObject({ code: "invalid", field: "job_id" });
    const stranger = await refusal(client().workers.lease({ workerId: crypto.randomUUID(), slots: 1 }));
    expect(stranger.code).toBe("forbidden");
  });

  it("streams: a job that waits, then its end", async () => {
    const jobId = await waitingJob();
    const states: string[] = [];
    for await (const { job } of client().jobs.watchJob({ jobId })) {
      states.push(Job_State[job?.state ?? 0]);
      if (states.length === 1) await client().jobs.cancelJob({ jobId });
    }
    expect(states[0]).toBe("WAITING");
    expect(states.at(-1)).toBe("ENDED");
  });
});

describe("the client", () => {
  it("goes on from page to page until there is none", async () => {
    const slugs: string[] = [];
    let token = "";
    let pages = 0;
    do {
      const { spaces, nextPageToken } = await organiser.client.spaces.listSpaces({ page: { size: 2, token } });
      slugs.push(...spaces.map(({ slug }) => slug));
      token = nextPageToken;
      pages++;
    } while (token !== "");
    expect(slugs.toSorted()).toEqual(["first", "second", "third"]);
    expect(pages).toBe(2);
  });

  it("gives one answer to a request that is sent twice under one key", async () => {
    const headers = { "idempotency-key": "once" };
    const request = { slug: "fourth", title: "Fourth" };
    const first = await organiser.client.spaces.createSpace(request, { headers });
    const again = await organiser.client.spaces.createSpace(request, { headers });
    expect(again).toEqual(first);
    const other = await refusal(organiser.client.spaces.createSpace({ slug: "fifth", title: "Fifth" }, { headers }));
    expect(other.code).toBe("aborted");
    expect((await refusal(organiser.client.spaces.getSpace({ space: "fifth" }))).code).toBe("not_found");
  });

  it("says `unauthenticated` with a wrong token and with none, `unavailable` where no server is", async () => {
    expect((await refusal(server.client("lan_wrong").tokens.whoAmI({}))).code).toBe("unauthenticated");
    expect((await refusal(server.client().tokens.whoAmI({}))).code).toBe("unauthenticated");
    // Port 9 (discard): nothing listens there.
    const nobody = await refusal(connect({ url: "http://127.0.0.1:9" }).tokens.whoAmI({}));
    expect(nobody).toMatchObject({ code: "unavailable", hint: expect.stringContaining("address") });
  });

  it("gives a request's id back in errors, the caller's own where he sent one", async () => {
    const headers = { "x-request-id": "from-the-caller-1" };
    const error = await organiser.client.spaces.getSpace({ space: "nowhere" }, { headers }).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(fromWire(error).code).toBe("not_found");
    expect(JSON.stringify((error as { details: unknown }).details)).toContain("from-the-caller-1");
  });
});

describe("docs/api.md", () => {
  const page = readFileSync(join(root, "docs/api.md"), "utf8");
  const blocks = (language: string): string[] =>
    [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map((match) => match[1] ?? "");

  async function run(command: string, args: readonly string[], more: Record<string, string> = {}): Promise<string> {
    const env = { ...process.env, LANISTA_URL: server.urls.http, LANISTA_TOKEN: organiser.token, ...more };
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    const end = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
    const [code, out] = await Promise.all([end, text(child.stdout)]);
    expect(code).toBe(0);
    return out;
  }

  it("has commands that do what it says", async () => {
    const [whoAmI, createSpace] = blocks("sh");
    expect(JSON.parse(await run("sh", ["-c", whoAmI ?? ""]))).toMatchObject({ user: { id: organiser.id } });
    const made = await run("sh", ["-c", createSpace ?? ""]);
    expect(JSON.parse(made)).toMatchObject({ space: { slug: "autumn", role: "SPACE_ROLE_ORGANISER" } });
    expect(await run("sh", ["-c", createSpace ?? ""])).toBe(made);
  });

  it("has a program that runs", async () => {
    const [example] = blocks("ts");
    const cache = join(root, ".cache/test");
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, "api-"));
    try {
      writeFileSync(join(folder, "example.ts"), example ?? "");
      const jobId = await waitingJob();
      const args = ["--conditions=lanista-source", join(folder, "example.ts")];
      const running = run(join(root, "node_modules/.bin/node"), args, { JOB_ID: jobId });
      // Time for it to see the job wait; should it be slower, it sees the end alone.
      const cancel = setTimeout(() => void organiser.client.jobs.cancelJob({ jobId }), 2_000);
      const out = await running.finally(() => clearTimeout(cancel));
      for (const slug of ["first", "second", "third"]) expect(out).toContain(`space ${slug}: ${slug}\n`);
      expect(out).toMatch(/^refused: not_found: /m);
      expect(out.trim().split("\n").at(-1)).toMatch(/^job ENDED: /);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

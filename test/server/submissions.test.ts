/** Handing in, by way of the API: uploads that are cut, quotas, versions, and what faults of ours must not use up. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromWire } from "@lanista/api/errors";
import { Submission_State } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { expireUploads } from "@lanista/server/agents/uploads";
import { claim } from "@lanista/server/jobs/claim";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const dir = mkdtempSync(join(tmpdir(), "lanista-submissions-"));
let server: TestServer;
let organiser: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let zip: Buffer;
let round = 0;
let space = "";
let ladderId = "";

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function refusal(call: Promise<unknown>): Promise<{ code: string; field: string; message: string }> {
  const error = await call.then(
    () => expect.fail("it was not refused"),
    (reason: unknown) => fromWire(reason),
  );
  return { code: error.code, field: error.field, message: error.message };
}

beforeAll(async () => {
  server = await testServer({ flags: { "limits.bundleBytes": "3000000", "limits.quotaBytes": "4000000" } });
  organiser = await server.person("Olga", { organiser: true });
  ada = await server.person("Ada");
  bob = await server.person("Bob");
  const file = join(dir, "agent.py");
  writeFileSync(file, "def get_action(obs):\n    return 0\n");
  zip = await zipAgent(file);
});
afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true });
});

beforeEach(async () => {
  space = `space-${round++}`;
  const made = await organiser.client.spaces.createSpace({ slug: space, title: space });
  const code = (await organiser.client.spaces.createInvitation({ space, role: 1, validSeconds: 3600n, uses: 10 })).code;
  for (const person of [ada, bob]) await person.client.spaces.acceptInvitation({ code });
  const { ladder } = await organiser.client.ladders.createLadder({
    space: made.space!.id,
    slug: "ladder",
    title: "ladder",
    rules: { env: "connect-four" },
  });
  ladderId = ladder!.id;
});

describe("uploads", () => {
  it("go on where they were cut, and take a part that comes twice once", async () => {
    const bytes = randomBytes(2_500_000);
    const { upload } = await ada.client.agents.createUpload({ space, sizeBytes: 2_500_000n, digest: sha256(bytes) });
    const uploadId = upload!.id;
    const part = (offset: number, end: number) =>
      ada.client.agents.uploadPart({ uploadId, offset: BigInt(offset), data: bytes.subarray(offset, end) });
    expect((await part(0, 1_000_000)).upload?.offset).toBe(1_000_000n);
    expect((await part(0, 1_000_000)).upload?.offset).toBe(1_000_000n);
    expect((await refusal(part(1_500_000, 2_000_000))).code).toBe("conflict");
    expect((await ada.client.agents.getUpload({ uploadId })).upload?.offset).toBe(1_000_000n);
    await part(1_000_000, 2_000_000);
    const done = await part(2_000_000, 2_500_000);
    expect(done.upload?.complete).toBe(true);
    expect(Buffer.from(await server.app.store.get(sha256(bytes))).equals(bytes)).toBe(true);
    expect((await part(2_000_000, 2_500_000)).upload?.complete).toBe(true);
  });

  it("are refused at the end if they are not what was announced, and may begin anew", async () => {
    const bytes = randomBytes(1000);
    const { upload } = await ada.client.agents.createUpload({ space, sizeBytes: 1000n, digest: sha256(bytes) });
    const send = (data: Buffer) => ada.client.agents.uploadPart({ uploadId: upload!.id, offset: 0n, data });
    expect((await refusal(send(randomBytes(1000)))).code).toBe("invalid");
    expect(await server.app.store.has(sha256(bytes))).toBe(false);
    expect((await send(bytes)).upload?.complete).toBe(true);
  });

  it("of bytes that somebody else has handed in are sent all the same: a digest is no key to a file", async () => {
    const bytes = randomBytes(1000);
    const wanted = { space, sizeBytes: 1000n, digest: sha256(bytes) };
    const first = await ada.client.agents.createUpload(wanted);
    await ada.client.agents.uploadPart({ uploadId: first.upload!.id, offset: 0n, data: bytes });
    expect((await bob.client.agents.createUpload(wanted)).upload?.complete).toBe(false);
  });

  it("that were cut off go on when they are begun again", async () => {
    const bytes = randomBytes(2000);
    const wanted = { space, sizeBytes: 2000n, digest: sha256(bytes) };
    const { upload } = await ada.client.agents.createUpload(wanted);
    await ada.client.agents.uploadPart({ uploadId: upload!.id, offset: 0n, data: bytes.subarray(0, 500) });
    expect((await ada.client.agents.createUpload(wanted)).upload).toMatchObject({ id: upload!.id, offset: 500n });
    const rest = { uploadId: upload!.id, offset: 500n, data: bytes.subarray(500) };
    const [one, other] = await Promise.all([ada.client.agents.uploadPart(rest), ada.client.agents.uploadPart(rest)]);
    expect([one.upload?.complete, other.upload?.complete]).toEqual([true, true]);
  });

  it("that nothing was made of are forgotten with their bytes; what a version is made of stays", async () => {
    const { app } = server;
    const used = randomBytes(1000);
    const unused = randomBytes(1000);
    for (const [index, bytes] of [used, unused].entries()) {
      const { upload } = await ada.client.agents.createUpload({ space, sizeBytes: 1000n, digest: sha256(bytes) });
      await ada.client.agents.uploadPart({ uploadId: upload!.id, offset: 0n, data: bytes });
      const bundle = { case: "uploadId" as const, value: upload!.id };
      if (index === 0) await ada.client.submissions.submit({ ladderId, agent: "kept", bundle });
    }
    await app.db
      .updateTable("uploads")
      .set({ expires_at: new Date(Date.now() - 1000) })
      .execute();
    await expireUploads(app);
    expect(await app.store.has(sha256(used))).toBe(true);
    expect(await app.store.has(sha256(unused))).toBe(false);
    expect(await app.db.selectFrom("uploads").select("id").execute()).toEqual([]);
    const again = await ada.client.agents.createUpload({ space, sizeBytes: 1000n, digest: sha256(unused) });
    expect(
      (await ada.client.agents.uploadPart({ uploadId: again.upload!.id, offset: 0n, data: unused })).upload?.complete,
    ).toBe(true);
    expect(await app.store.has(sha256(unused))).toBe(true);
  });

  it("belong to who began them", async () => {
    const { upload } = await ada.client.agents.createUpload({
      space,
      sizeBytes: 10n,
      digest: sha256(Buffer.from("x")),
    });
    const uploadId = upload!.id;
    for (const person of [bob, organiser]) {
      expect((await refusal(person.client.agents.getUpload({ uploadId }))).code).toBe("not_found");
      const part = person.client.agents.uploadPart({ uploadId, offset: 0n, data: Buffer.alloc(10) });
      expect((await refusal(part)).code).toBe("not_found");
    }
  });

  it("stay within the bundle's bound and the person's quota, those on their way included", async () => {
    const upload = (sizeBytes: bigint) =>
      ada.client.agents.createUpload({ space, sizeBytes, digest: sha256(randomBytes(8)) });
    expect((await refusal(upload(3_000_001n))).code).toBe("too_large");
    await upload(3_000_000n);
    expect((await refusal(upload(1_000_001n))).code).toBe("quota_exceeded");
    await upload(1_000_000n);
  });
});

describe("submissions", () => {
  const submit = (person: TestPerson, agent: string, bytes: Buffer = zip) =>
    person.client.submissions.submit({ ladderId, agent, bundle: { case: "zip", value: bytes } });

  it("number an agent's versions, and keep its name for its owner", async () => {
    expect((await submit(ada, "one")).submission).toMatchObject({
      versionNumber: 1,
      state: Submission_State.VALIDATING,
    });
    expect((await submit(ada, "one")).submission?.versionNumber).toBe(2);
    expect((await refusal(submit(bob, "one"))).code).toBe("exists");
    const { agents } = await ada.client.agents.listAgents({ space });
    expect(agents).toMatchObject([{ name: "one", newest: { number: 2, digest: sha256(zip) } }]);
    const pieces: Uint8Array[] = [];
    for await (const { data } of ada.client.agents.downloadVersion({ versionId: agents[0]!.newest!.id }))
      pieces.push(data);
    expect(Buffer.concat(pieces).equals(zip)).toBe(true);
  });

  it("are counted by the day, but neither cancelled ones nor those that we failed", async () => {
    await organiser.client.spaces.updateSpace({ space, dailySubmissions: 2 });
    const first = (await submit(ada, "one")).submission!;
    const second = (await submit(ada, "one")).submission!;
    expect((await refusal(submit(ada, "one"))).code).toBe("quota_exceeded");
    await submit(bob, "bobs");
    await ada.client.submissions.cancelSubmission({ submissionId: first.id });
    const cancelled = (await ada.client.submissions.getSubmission({ submissionId: first.id })).submission;
    expect(cancelled?.state).toBe(Submission_State.CANCELLED);
    await submit(ada, "one");
    expect((await refusal(submit(ada, "one"))).code).toBe("quota_exceeded");
    // Our fault: nobody could run it in time.
    await server.app.db
      .updateTable("jobs")
      .set({ wait_until: new Date(Date.now() - 1000) })
      .where("id", "=", second.jobId)
      .execute();
    await expect
      .poll(async () => (await ada.client.submissions.getSubmission({ submissionId: second.id })).submission?.state, {
        timeout: 10_000,
      })
      .toBe(Submission_State.FAILED);
    await submit(ada, "one");
  });

  it("of more agents than a person may have are refused while the first are still being validated", async () => {
    const { submission } = await submit(ada, "one");
    expect((await refusal(submit(ada, "two"))).code).toBe("quota_exceeded");
    await submit(ada, "one");
    await submit(bob, "bobs");
    const { submissions } = await ada.client.submissions.listSubmissions({ space });
    for (const { id } of submissions) await ada.client.submissions.cancelSubmission({ submissionId: id });
    expect(submissions.map(({ id }) => id)).toContain(submission!.id);
    await submit(ada, "two");
  });

  it("of somebody who is no member leave nothing in the store", async () => {
    const stranger = await server.person(`Stranger ${space}`);
    const bytes = Buffer.concat([zip, randomBytes(8)]);
    expect((await refusal(submit(stranger, "mine", bytes))).code).toBe("not_found");
    expect(await server.app.store.has(sha256(bytes))).toBe(false);
  });

  it("sent twice under one key are one", async () => {
    const call = () =>
      ada.client.submissions.submit(
        { ladderId, agent: "one", bundle: { case: "zip", value: zip } },
        { headers: { "idempotency-key": "the-same" } },
      );
    const [one, other] = await Promise.all([call(), call()]);
    expect(other.submission?.id).toBe(one.submission?.id);
    expect((await call()).submission?.id).toBe(one.submission?.id);
    const { submissions } = await ada.client.submissions.listSubmissions({ space });
    expect(submissions).toHaveLength(1);
  });

  it("of others are not to be seen, except by organisers", async () => {
    const { submission } = await submit(ada, "one");
    const submissionId = submission!.id;
    expect((await refusal(bob.client.submissions.getSubmission({ submissionId }))).code).toBe("not_found");
    expect((await refusal(bob.client.submissions.cancelSubmission({ submissionId }))).code).toBe("not_found");
    expect((await refusal(bob.client.submissions.listSubmissions({ space, all: true }))).code).toBe("forbidden");
    expect((await bob.client.submissions.listSubmissions({ space })).submissions).toEqual([]);
    expect((await organiser.client.submissions.listSubmissions({ space, all: true })).submissions).toHaveLength(1);
  });

  it("wait for nobody's turn but their own: many of one person leave room for another's", async () => {
    const may = { kinds: ["validate"], tiers: ["container"], queues: ["default"], tokenQueues: [], spaceId: null };
    const worker = { id: crypto.randomUUID(), name: "test", ...may };
    const free = { cpus: 64, memoryBytes: 2 ** 40, gpus: 0, vramBytes: 0 };
    // What other tests left waiting.
    await claim(server.app, worker, 1000, free);
    for (let count = 0; count < 6; count++) await submit(ada, "one");
    const bobs = (await submit(bob, "bobs")).submission!;
    const jobs = await claim(server.app, worker, 2, free);
    expect(jobs.map((job) => job.id)).toContain(bobs.jobId);
  });

  it("are not taken by a frozen ladder", async () => {
    await organiser.client.ladders.freezeLadder({ ladderId, frozen: true });
    expect((await refusal(submit(ada, "one"))).code).toBe("conflict");
  });
});

/** What a ladder's matches and validations ask of a worker, and that nobody who asks without end keeps it for himself. */
import { v7 as uuid } from "uuid";
import { afterEach, describe, expect, it } from "vitest";
import { claim } from "../jobs/claim.ts";
import type { JobRow } from "../jobs/kinds.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { submit } from "../submissions/submit.ts";
import { fillLadder } from "./fill-ladder.ts";
import { makeMatch } from "./make-match.ts";
import { findLadder } from "./rows.ts";
import { ladderRules } from "./rules.ts";
import { LadderApp, type TestAgent } from "./testing/ladder-app.ts";

const open: LadderApp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const MUCH = { cpus: 64, memoryBytes: 2 ** 40, gpus: 0, vramBytes: 0 };
const GIB = 2 ** 30;

interface World {
  readonly at: LadderApp;
  readonly ladder: string;
  readonly agents: readonly TestAgent[];
  take(free?: typeof MUCH, slots?: number): Promise<JobRow[]>;
}

async function world(rules: Parameters<LadderApp["ladder"]>[0] = {}): Promise<World> {
  const at = await LadderApp.open();
  open.push(at);
  const ladder = await at.ladder({ parallelMatches: 4, ...rules });
  const agents: TestAgent[] = [];
  for (let index = 0; index < 4; index++) agents.push(await at.agent(ladder, `agent ${index}`));
  const worker = {
    id: uuid(),
    name: "worker",
    kinds: ["match", "validate"],
    tiers: ["container"],
    queues: ["default"],
    tokenQueues: [],
    spaceId: null,
  };
  return { at, ladder, agents, take: (free = MUCH, slots = 1) => claim(at.app, worker, slots, free) };
}

/** A match that the first agent's owner asks for. */
async function request({ at, ladder, agents }: World): Promise<void> {
  await inTransaction(at.app, async (tx) => {
    const row = await findLadder(tx, ladder);
    const seats = agents.slice(0, 2).map(({ id, version, name }) => ({ agentId: id, versionId: version, name }));
    await makeMatch(at.app, tx, {
      ladderId: ladder,
      spaceId: at.space,
      rules: ladderRules(row),
      reason: "requested",
      seats: seats.map((seat) => ({ ...seat, digest: "0".repeat(64) })),
      ownerId: agents[0]!.owner,
    });
  });
}

async function handIn({ at, ladder, agents }: World, number: number): Promise<void> {
  await inTransaction(at.app, async (tx) => {
    const space = await tx.selectFrom("spaces").selectAll().where("id", "=", at.space).executeTakeFirstOrThrow();
    const bundle = { case: "zip", value: Buffer.from(`bytes ${number}`) } as const;
    const handed = { space, ladder: await findLadder(tx, ladder), userId: agents[0]!.owner, agentName: "mine", bundle };
    await submit(at.app, tx, handed);
  });
}

describe("a job of a ladder needs what its boxes may fill", () => {
  it("and goes to no worker that has less free", async () => {
    const here = await world({ limits: { memoryBytes: 8 * GIB, cpus: 2 }, parallelMatches: 1 });
    await fillLadder(here.at.app, here.ladder);
    const [match] = await here.at.waiting(here.ladder);
    expect(await here.take({ ...MUCH, memoryBytes: 15 * GIB })).toEqual([]);
    expect(await here.take({ ...MUCH, cpus: 1 })).toEqual([]);
    const [taken] = await here.take({ ...MUCH, memoryBytes: 16 * GIB, cpus: 2 });
    expect(taken?.id).toBe(match?.job);
    await handIn(here, 1);
    expect(await here.take({ ...MUCH, memoryBytes: 7 * GIB })).toEqual([]);
    expect(await here.take({ ...MUCH, memoryBytes: 8 * GIB })).toMatchObject([{ kind: "validate", cpus: 2 }]);
  });

  it("also where it sets no bounds: then the defaults count, and no more are given than fit together", async () => {
    const here = await world();
    await fillLadder(here.at.app, here.ladder);
    expect(await here.take({ ...MUCH, memoryBytes: 2.5 * GIB }, 4)).toHaveLength(2);
  });
});

describe.each([
  ["asks for matches", (here: World) => request(here)],
  ["hands in", (here: World, number: number) => handIn(here, number)],
])("who %s without end", (_, ask) => {
  it("keeps no rated match from being played, and is served himself", async () => {
    const here = await world({ agentsPerParticipant: 10 });
    let asked = 0;
    for (; asked < 10; asked++) await ask(here, asked);
    let rated = 0;
    for (let turn = 0; turn < 12; turn++) {
      await fillLadder(here.at.app, here.ladder);
      const [job] = await here.take();
      if (job!.owner_id === null) {
        rated++;
        await here.at.completed(job!.id, [1, 2]);
      } else await ask(here, asked++);
    }
    expect(rated).toBe(6);
  });
});

/**
 * The golden replays: matches of every built-in environment, recorded once. They must verify for ever, with these hashes:
 * if one does not, rules, chance, seeds or the chain have changed, and a version has to be raised.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { exportReplay } from "@lanista/arena/export/export-replay";
import { readReplayFile } from "@lanista/arena/replay-file";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { environments } from "@lanista/games/registry";
import { expect, test } from "vitest";

const HASHES: Readonly<Record<string, string>> = {
  blackjack: "0e07134cdd0a4f8268baebb59057971f87c5e0798cec18f47ca04ef4a360e667",
  breakthrough: "ae98c71c3d930e2d547b6708e0ad7001cb4e70e69cb2c49ef41787c7dc3f5feb",
  "cart-pole": "fed73267ccd5f0192c983d64524704ee1393a9fb4fc9154a2f063f88fa213d3e",
  "connect-four": "96e621f79ffed145b5a2b919e0cb24de5c1aba656345b02c660cd7bb74a689e3",
  "frozen-lake": "3106adb93ef18cd1dd097a8c5ecdb766f6bfac2b84ece7462f66a39048e741e8",
  hex: "d7ed1b2daa89763a2978ee0d16e6541e76ff2015da3a795b73f3ac45cbe9031d",
  "kuhn-poker": "45d5b7e0c88105dfd0e0ad7f957fb0d4fbbde54d207f861ee681afb01379f14a",
  "leduc-poker": "f685132029419742c94585ec95de4057b27c0bd801f1893cf12756670b355a7e",
  "othello-forfeit": "2ef70e3a02f7bbc8ca1517bddfca44f0559c823a84ffad5d146c2636d8c899c4",
  othello: "3905782cc5445b82177e64cec5674cc6ce50e79c8722a65f70c6cb1cea93437f",
  pong: "b24cdaff3ef7ccf41e38096d4c271763fa7456e8d906883c43fe0a6380211b3f",
  "rock-paper-scissors": "50db81eb90ef9b0adcb5f200ed2548b210a0b14b545cb6b5b749e871414ee2c5",
  taxi: "ee267a6d5765ba8fcc3b30ca080904c73c8c8a23b2541abb76e299a89b8129b7",
  "tic-tac-toe": "330f8481ee3daa2d8db5ea631e53c6e88cd6ada0f15ad61fb2a6743338d2414f",
};

test("there is one for each environment, and no other", async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".jsonl"));
  expect(files.sort()).toEqual(
    Object.keys(HASHES)
      .map((name) => `${name}.jsonl`)
      .sort(),
  );
  const replays = await Promise.all(files.map((name) => readReplayFile(join(import.meta.dirname, name))));
  expect(new Set(replays.map((replay) => replay.header.env.id))).toEqual(new Set(environments.keys()));
});

test.each(Object.entries(HASHES))("%s verifies, and has a page", async (name, hash) => {
  const replay = await readReplayFile(join(import.meta.dirname, `${name}.jsonl`));
  expect(verifyReplay(replay, environments)).toMatchObject({ ok: true, hash });
  expect(exportReplay(replay, environments).ok).toBe(true);
});

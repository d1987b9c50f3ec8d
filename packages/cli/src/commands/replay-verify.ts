import { type Verdict, verifyReplay, verifyReplayIn } from "@lanista/arena/replay-verify";
import { environments } from "@lanista/games/registry";
import type { Replay } from "@lanista/games/replay-types";
import { SandboxHost } from "@lanista/sandbox/host";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { namesBundle } from "../named-environment.ts";
import { unclosedText } from "../outcome-text.ts";
import { arenaOptions, type BoxOptions } from "../play-options.ts";
import { readReplay } from "../read-replay.ts";
import { note, painter, writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";
import { differenceText } from "../verdict-text.ts";

export interface VerifyOptions extends BoxOptions {
  readonly envBundle?: string;
  readonly json?: true;
}

export async function replayVerify(context: Context, file: string, options: VerifyOptions): Promise<void> {
  const { terminal } = context;
  const replay = await readReplay(file);
  const { envBundle, json } = options;
  const verdict =
    envBundle === undefined ? byRules(context, replay) : await inBundle(context, replay, envBundle, options);
  if (!verdict.ok) context.exit(EXIT.found);
  if (json) {
    writeJson(terminal, verdict);
    return;
  }
  const paint = painter(terminal, terminal.stdout);
  if (verdict.ok) {
    const played = `${plural(verdict.episodes, "episode")}, ${plural(verdict.steps, "step")}`;
    writeLine(terminal, `${paint("green", "✓ verified")}: ${played} played again with the same result`);
    writeLine(terminal, paint("dim", `hash ${verdict.hash}`));
    return;
  }
  writeLine(terminal, differenceText(verdict, paint));
}

function byRules(context: Context, replay: Replay): Verdict {
  context.endBySignal();
  const verdict = verifyReplay(replay, environments);
  const { bundle } = replay.header.env;
  if (verdict.ok || bundle === undefined) return verdict;
  return { ...verdict, what: `${verdict.what}: name it with --env-bundle` };
}

/** Plays it again in the bundle's own environment. Throws UsageError where that is another bundle. */
async function inBundle(context: Context, replay: Replay, path: string, options: BoxOptions): Promise<Verdict> {
  const { terminal, signal } = context;
  if (!namesBundle(path)) throw new UsageError(`${path} is no environment's bundle: give a folder or a .zip`);
  const { bundle: digest, options: given } = replay.header.env;
  if (digest === undefined) throw new UsageError("the replay is of a built-in environment: it needs no --env-bundle");
  const { withBundle } = await import("../bundled.ts");
  const onUnclosed = (error: Error): void => note(terminal, unclosedText(error));
  return closing(
    await SandboxHost.open(),
    (host) =>
      withBundle(
        host,
        path,
        arenaOptions(options),
        async (boxes, bundle) => {
          // Before anything of it runs: another bundle is another environment, whatever it calls itself.
          if (bundle.digest !== digest)
            throw new UsageError(
              `the replay is of the bundle ${digest}; that at ${path} has the digest ${bundle.digest}`,
            );
          return closing(
            await boxes.source(bundle, given, signal),
            (one) => verifyReplayIn(replay, one, { signal }),
            onUnclosed,
          );
        },
        onUnclosed,
      ),
    onUnclosed,
  );
}

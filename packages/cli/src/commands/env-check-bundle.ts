import { checkBundledEnvironment, ENVIRONMENT_CHECKS } from "@lanista/arena/bundled/check-environment";
import { SandboxHost } from "@lanista/sandbox/host";
import { withBundle } from "../bundled.ts";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { parseOptions } from "../environments.ts";
import { EXIT } from "../exit-code.ts";
import { findingsText } from "../findings-text.ts";
import { unclosedText } from "../outcome-text.ts";
import { arenaOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import type { CheckOptions } from "./env-check.ts";

const EPISODES = 5;

/** Checks a bundled environment, in boxes of its own. */
export async function checkBundle(context: Context, path: string, options: CheckOptions): Promise<void> {
  const { terminal, signal } = context;
  const { episodes = EPISODES, seed } = options;
  const progress = startProgress(terminal, () => "Checking\u2026");
  const onUnclosed = (error: Error): void => progress.note(unclosedText(error));
  try {
    const { manifest, findings } = await closing(
      await SandboxHost.open(),
      (host) =>
        withBundle(
          host,
          path,
          arenaOptions(options),
          async (boxes, bundle) => {
            const given = parseOptions(bundle.manifest, options.option ?? []);
            const { findings: found } = await checkBundledEnvironment(boxes, bundle, given, { episodes, seed }, signal);
            return { manifest: bundle.manifest, findings: found };
          },
          onUnclosed,
        ),
      onUnclosed,
    );
    progress.end();
    if (findings.length > 0) context.exit(EXIT.found);
    const { id, version } = manifest;
    const ok = findings.length === 0;
    if (options.json) writeJson(terminal, { env: id, version, ok, checks: ENVIRONMENT_CHECKS, findings });
    else writeLine(terminal, findingsText(id, findings, painter(terminal, terminal.stdout), ENVIRONMENT_CHECKS));
  } finally {
    progress.end();
  }
}

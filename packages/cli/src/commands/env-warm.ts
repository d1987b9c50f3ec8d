import { join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import { PackageSets } from "@lanista/sandbox/python/package-sets";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { unclosedText } from "../outcome-text.ts";
import { type PackageOptions, packageSetsOptions } from "../package-options.ts";
import { GUEST_DIR } from "../places.ts";
import { startProgress } from "../progress.ts";
import { requirementsOf } from "../requirements-of.ts";
import { oneLine, painter, writeJson, writeLine } from "../terminal.ts";
import { bytesText, plural, secondsText } from "../units.ts";

export interface WarmOptions extends PackageOptions {
  readonly json?: true;
}

interface Warmed {
  readonly path: string;
  readonly key: string;
  readonly built: boolean;
  readonly packages: readonly string[];
  readonly bytes: number;
  readonly seconds: number;
}

export async function envWarm(context: Context, paths: readonly string[], options: WarmOptions): Promise<void> {
  const { terminal, signal } = context;
  const progress = startProgress(terminal, "Building packages…");
  const unclosed = (error: Error): void => progress.note(unclosedText(error));
  const warmed: Warmed[] = [];
  try {
    await closing(
      await SandboxHost.open(),
      async (host) =>
        closing(
          await PackageSets.open({ host, guestDir: GUEST_DIR, ...packageSetsOptions(options) }),
          async (sets) => {
            for (const path of paths) {
              const onLine = (line: string): void => progress.update(`${path}: ${oneLine(line)}`);
              for (const requirements of await requirementsOf(path, join(host.workDir, "bundles")))
                warmed.push(await warm(sets, path, requirements, signal, onLine));
            }
          },
          unclosed,
        ),
      unclosed,
    );
  } finally {
    progress.end();
  }
  if (options.json) return writeJson(terminal, { sets: warmed });
  for (const path of paths)
    if (!warmed.some((one) => one.path === path)) writeLine(terminal, `${path}: asks for no packages`);
  const paint = painter(terminal, terminal.stdout);
  for (const { path, key, built, packages, bytes, seconds } of warmed) {
    const how = built ? `built in ${secondsText(seconds)}` : "was there";
    writeLine(
      terminal,
      `${path}: ${plural(packages.length, "package")}, ${bytesText(bytes)}, ${how}  ${paint("dim", key.slice(0, 12))}`,
    );
    for (const one of packages) writeLine(terminal, `  ${oneLine(one)}`);
  }
}

async function warm(
  sets: PackageSets,
  path: string,
  requirements: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<Warmed> {
  let built = false;
  const began = performance.now();
  const onProgress = (line: string): void => {
    built = true;
    onLine(line);
  };
  const set = await sets.ensure(requirements, { signal, onProgress });
  const seconds = Math.round(performance.now() - began) / 1000;
  const { packages = [], bytes = 0 } = sets.list().find(({ key }) => key === set.key) ?? {};
  set.release();
  return { path, key: set.key, built, packages, bytes, seconds };
}

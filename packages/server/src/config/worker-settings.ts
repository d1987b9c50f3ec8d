/**
 * What a worker that runs by itself takes of the settings: those of a server that are about a worker, found in the same places
 * under the same names, and checked as there, so that a mistyped one is refused. What is at its default here is left to the
 * worker, whose own defaults are not the embedded one's.
 */

import { type ConfigSources, loadConfig, readDotEnv, type ServerConfig } from "./config.ts";
import { type PackageWishes, packageWishes } from "./package-settings.ts";
import { PACKAGES_VARIABLE, readPackageValues } from "./package-values.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface WorkerSettings {
  readonly concurrency?: number;
  readonly queues?: readonly string[];
  readonly giveUp?: readonly string[];
  readonly gpus?: readonly string[];
  readonly cacheBytes?: number;
  readonly packages?: PackageWishes;
  readonly drainSeconds?: number;
  readonly logLevel: ServerConfig["log"]["level"];
  readonly logPretty?: boolean;
  /** Empty: none. */
  readonly collector: string;
}

/**
 * `sources` null: nothing is looked for but the collector and the settings of packages, for a worker whose parent has said it all. The environment comes back
 * with what `.env` has beside it. Throws LanistaError `invalid`.
 */
export function readWorkerSettings(
  sources: ConfigSources | null,
  env: Environment,
): { readonly environment: Environment; readonly settings: WorkerSettings } {
  if (sources === null) {
    const packages = env[PACKAGES_VARIABLE];
    const settings = {
      logLevel: "info",
      collector: env.LANISTA_OTEL_ENDPOINT ?? "",
      ...(packages !== undefined && { packages: packageWishes(readPackageValues(packages)) }),
    } as const;
    return { environment: env, settings };
  }
  const { config, origins } = loadConfig(sources);
  const { worker, log } = config;
  const set = (key: string): boolean => origins[key]?.from !== "default";
  const settings: WorkerSettings = {
    ...(worker.concurrency > 0 && { concurrency: worker.concurrency }),
    ...(worker.queues.length > 0 && { queues: worker.queues }),
    ...(worker.giveUp.length > 0 && { giveUp: worker.giveUp }),
    ...(worker.gpus.length > 0 && { gpus: worker.gpus }),
    ...(set("worker.cacheBytes") && { cacheBytes: worker.cacheBytes }),
    packages: packageWishes(worker.packages),
    ...(set("shutdownSeconds") && { drainSeconds: config.shutdownSeconds }),
    logLevel: log.level,
    ...(set("log.pretty") && { logPretty: log.pretty }),
    collector: config.otel.endpoint,
  };
  // An empty variable is an unset one, as for settings.
  const own = Object.entries(env).filter(([, value = ""]) => value !== "");
  return { environment: { ...readDotEnv(sources.cwd), ...Object.fromEntries(own) }, settings };
}

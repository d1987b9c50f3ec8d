/** The kind `env_check`: an environment that was handed in. */
import { checkKind } from "./check-kind.ts";
import { type EnvCheckPayload, type EnvCheckResult, envCheckPayload, envCheckResult } from "./environment-payloads.ts";

export const envCheckKind = checkKind<EnvCheckPayload, EnvCheckResult>("environments", {
  name: "env_check",
  payload: envCheckPayload,
  result: envCheckResult,
  bundles: ({ environment }) => [environment],
});

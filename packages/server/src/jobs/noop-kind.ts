/** The kind `noop`: nothing is done at its end. No call of the API makes one; tests and benchmarks do. */
import type { z } from "zod";
import type { JobKind } from "./kinds.ts";
import { noopPayload, noopResult } from "./payloads.ts";

export const noopKind: JobKind<z.infer<typeof noopPayload>, z.infer<typeof noopResult>> = {
  name: "noop",
  payload: noopPayload,
  result: noopResult,
  bundles: () => [],
  ended: () => Promise.resolve(),
};

/** An environment's bundle that is none: what its author did wrong, with its place. */
export class EnvironmentBundleError extends Error {
  override readonly name = "EnvironmentBundleError";
}

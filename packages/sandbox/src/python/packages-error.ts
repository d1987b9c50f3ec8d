import { SandboxError } from "../errors.ts";

/**
 * Why there is no set of packages. `requirements`: their author's, who asked for what cannot be had, or whose packages fail, or
 * want more than they may have; `infra`: ours, or the index's, and the same may work later.
 */
export type PackagesErrorKind = "requirements" | "infra";

/** A SandboxError whose code follows from its kind. */
export class PackagesError extends SandboxError {
  readonly kind: PackagesErrorKind;

  constructor(kind: PackagesErrorKind, message: string, options?: ErrorOptions) {
    super(kind === "requirements" ? "refused" : "fault", message, options);
    this.kind = kind;
  }
}

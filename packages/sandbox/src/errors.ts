/**
 * The one error class of this package. What a sandboxed program does is never an error: it is the cause of an end.
 *
 * `refused`: what was asked for cannot be enforced on this host, or makes no sense; the message says what to do about it.
 * `fault`: ours — the runtime could not be started, a cgroup could not be made.
 */
export type SandboxErrorCode = "refused" | "fault";

export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Anything thrown becomes a SandboxError; what was not one already is our fault. */
  static from(thrown: unknown, doing: string): SandboxError {
    if (thrown instanceof SandboxError) return thrown;
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    return new SandboxError("fault", `${doing}: ${reason}`, { cause: thrown });
  }
}

/** What the person at the command line can put right. The message says what is wrong, where, and what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

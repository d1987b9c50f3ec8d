/** The task's author did something wrong. The message says what, where, and what to do. */
export class TaskError extends Error {
  override readonly name = "TaskError";
}

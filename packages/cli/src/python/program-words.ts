/** What the two threads of a SyncProgram agree on: where in the shared memory what stands. */
export const STATUS = 0;
export const LENGTH = 1;

export const WAITING = 0;
export const ANSWERED = 1;
export const ENDED = 2;

export interface ProgramData {
  readonly argv: readonly string[];
  readonly control: Int32Array;
  readonly text: Uint8Array;
}

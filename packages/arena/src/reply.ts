import type { Action } from "./episodes/spaces.ts";
import type { Fault } from "./result.ts";

export interface FaultReply {
  readonly kind: "fault";
  readonly fault: Fault;
  readonly detail: string;
  /** No further question can be answered. */
  readonly dead: boolean;
  /** Milliseconds from the question to the end of it. */
  readonly thinkMs: number;
}

/** What comes out of a question to an agent. */
export type Reply =
  | { readonly kind: "ready" }
  | { readonly kind: "action"; readonly action: Action; readonly thinkMs: number }
  | { readonly kind: "answer"; readonly value: unknown; readonly thinkMs: number }
  | FaultReply
  | { readonly kind: "infra"; readonly detail: string }
  | { readonly kind: "cancelled" };

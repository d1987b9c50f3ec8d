/**
 * Celery's remote control, as far as a worker of this kind can be controlled: messages of the exchange `celery.pidbox`, whose
 * reply, if one is wanted, goes to an exchange and a key that the message names. Pure: what a command does is the caller's.
 */
import { z } from "zod";
import type { JobAtHand } from "./at-hand.ts";
import { inspected, inspectedById } from "./inspected.ts";
import { QUEUE_NAME } from "./settings.ts";
import { TASK_NAME } from "./task-message.ts";

const MOST_BYTES = 64 * 1024;
const MOST_REVOKED = 1000;
const MOST_GROWN = 256;

export interface ControlActions {
  /** Throws an Error whose message is the reply's. */
  addConsumer(queue: string): void;
  cancelConsumer(queue: string): void;
  queues(): readonly string[];
  /** Those that have not begun are never begun; with `terminate` the others end too. Gives which of them are at hand. */
  revoke(taskIds: readonly string[], terminate: boolean): readonly string[];
  revoked(): readonly string[];
  jobs(): readonly JobAtHand[];
  /** So many more jobs at a time; below 0, fewer. Throws as addConsumer does. */
  grow(by: number): void;
  shutdown(): void;
  stats(): Readonly<Record<string, unknown>>;
}

export interface ControlReply {
  readonly exchange: string;
  readonly routingKey: string;
  readonly ticket: string;
  readonly body: Buffer;
}

const Short = z.string().max(255);
const Command = z.object({
  method: Short,
  arguments: z.record(z.string(), z.unknown()).nullish(),
  destination: z.array(Short).max(10_000).nullish(),
  pattern: Short.nullish(),
  ticket: Short.nullish(),
  reply_to: z.object({ exchange: Short, routing_key: Short }).nullish(),
});
const QueueArgument = z.object({ queue: z.string().regex(QUEUE_NAME) });
const Ids = z.union([Short.transform((id) => [id]), z.array(Short).max(MOST_REVOKED)]);
const TaskIds = z.object({ task_id: Ids });
const AskedIds = z.object({ ids: Ids });
const By = z.object({ n: z.int().min(1).max(MOST_GROWN).nullish() });

export type Commanded = { readonly method: string; readonly reply: ControlReply | undefined };

/** Null: it is meant for others. A sentence: it is no command. */
export function obey(content: Buffer, self: string, actions: ControlActions): Commanded | string | null {
  if (content.length > MOST_BYTES) return `it has over ${MOST_BYTES} bytes`;
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch {
    return "it is no JSON";
  }
  const parsed = Command.safeParse(value);
  if (!parsed.success) return parsed.error.issues[0]?.message ?? "it is no command";
  const { method, destination, pattern, ticket, reply_to: to } = parsed.data;
  // Workers chosen by a pattern of their names: nothing of the site's does that.
  if (destination ? !destination.includes(self) : Boolean(pattern)) return null;
  let answer: unknown;
  try {
    answer = act(method, parsed.data.arguments ?? {}, self, actions);
  } catch (error) {
    answer = {
      error: error instanceof z.ZodError ? `${method}: its arguments make no sense` : (error as Error).message,
    };
  }
  const reply =
    to && ticket
      ? {
          exchange: to.exchange,
          routingKey: to.routing_key,
          ticket,
          body: Buffer.from(JSON.stringify({ [self]: answer })),
        }
      : undefined;
  return { method, reply };
}

function act(method: string, given: Readonly<Record<string, unknown>>, self: string, actions: ControlActions): unknown {
  switch (method) {
    case "add_consumer": {
      const { queue } = QueueArgument.parse(given);
      actions.addConsumer(queue);
      return { ok: `add consumer ${queue}` };
    }
    case "cancel_consumer": {
      const { queue } = QueueArgument.parse(given);
      actions.cancelConsumer(queue);
      return { ok: `no longer consuming from ${queue}` };
    }
    case "active_queues":
      return actions.queues().map((name) => ({ name, routing_key: name, durable: true, exclusive: false }));
    case "ping":
      return { ok: "pong" };
    case "stats":
      return actions.stats();
    case "revoke":
    case "terminate": {
      const { task_id: ids } = TaskIds.parse(given);
      const terminate = method === "terminate" || given.terminate === true;
      const met = actions.revoke(ids, terminate);
      if (!terminate) return { ok: `tasks ${ids.join(", ")} flagged as revoked` };
      return { ok: `terminate: ${met.length === 0 ? "tasks unknown" : met.join(", ")}` };
    }
    case "revoked":
      return actions.revoked();
    case "registered":
      return [TASK_NAME];
    case "active":
    case "reserved":
    case "scheduled":
      return inspected(actions.jobs(), method, self);
    case "query_task":
      return inspectedById(actions.jobs(), AskedIds.parse(given).ids, self);
    case "pool_grow":
    case "pool_shrink": {
      const by = By.parse(given).n ?? 1;
      actions.grow(method === "pool_grow" ? by : -by);
      return { ok: `pool will ${method.slice("pool_".length)}` };
    }
    case "shutdown":
      actions.shutdown();
      return { ok: "shutting down" };
    default:
      throw new Error(`no such command: ${method}`);
  }
}

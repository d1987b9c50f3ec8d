/** What the two brokers have in common: they hand out messages, and take back what came of them. */
import type { JobEnd } from "./job.ts";
import type { ControlActions } from "./remote-control.ts";
import type { TaskMessage } from "./task-message.ts";

export interface BrokerEvents {
  /** A task's message. Resolves with what the broker is to be told of it; never rejects. */
  task(message: TaskMessage): Promise<JobEnd>;
}

/** Of a broker with a connection, and with remote control. */
export interface ControlledEvents
  extends BrokerEvents,
    Omit<ControlActions, "addConsumer" | "cancelConsumer" | "queues"> {
  /** All that was handed out and not settled is the broker's again. */
  lost(): void;
}

export interface Broker {
  /** Whether pausing can come back as remote control. */
  readonly controlled: boolean;
  /** Hands out messages until the signal is aborted, through every loss of the connection. */
  run(signal: AbortSignal): Promise<void>;
  /** Takes no more messages, or takes them again. What remote control has stopped stays so. */
  pause(paused: boolean): void;
  /** How many messages may be handed out and not settled at once. */
  room(messages: number): void;
  /** Whether the queue is consumed whenever nothing is paused. */
  wanted(queue: string): boolean;
  /** The queues that messages are taken from now. */
  consuming(): readonly string[];
  /** Tells what is still to be told, and lets go of the rest: it is handed out again. */
  close(): Promise<void>;
}

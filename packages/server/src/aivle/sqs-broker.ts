/**
 * SQS. As many messages are asked for as slots are free, and each stays ours, by its visibility, for as long as we say so again and
 * again; it is deleted once it is settled. There is no remote control and no result backend over SQS, in Celery neither:
 * the thresholds pause the worker by themselves.
 */
import type { Message, SQSClient } from "@aws-sdk/client-sqs";
import type { Logger } from "pino";
import { Backoff, pause } from "../worker/backoff.ts";
import { SignalFlag } from "../worker/signal-flag.ts";
import type { Broker, BrokerEvents } from "./broker.ts";
import type { SqsAddress } from "./broker-uri.ts";
import { readEnvelope } from "./sqs-message.ts";
import { readTaskMessage } from "./task-message.ts";

type Sdk = typeof import("@aws-sdk/client-sqs");

const VISIBLE_AFTER_SECONDS = 120;
const POLL_SECONDS = 10;
const MOST_A_CALL = 10;
const MOST_WAIT_MS = 30_000;
/** What Celery makes a queue with. */
const QUEUE_VISIBILITY_SECONDS = 1800;

export interface SqsOptions {
  readonly address: SqsAddress;
  readonly region: string;
  readonly queue: string;
  readonly concurrency: number;
  readonly log: Logger;
  /** A message of a worker that is gone comes again after so long; said anew three times in it. Default: 120. */
  readonly visibleAfterSeconds?: number;
}

export class SqsBroker implements Broker {
  readonly controlled = false;
  readonly #sdk: Sdk;
  readonly #client: SQSClient;
  readonly #options: SqsOptions;
  readonly #events: BrokerEvents;
  readonly #open = new Set<Promise<void>>();
  readonly #wake = new SignalFlag();
  readonly #visibleAfter: number;
  #paused = true;
  #room: number;
  #url = "";

  private constructor(sdk: Sdk, options: SqsOptions, events: BrokerEvents) {
    const { address, region } = options;
    this.#sdk = sdk;
    this.#options = options;
    this.#room = options.concurrency;
    this.#events = events;
    this.#visibleAfter = options.visibleAfterSeconds ?? VISIBLE_AFTER_SECONDS;
    this.#client = new sdk.SQSClient({
      region,
      ...(address.credentials && { credentials: address.credentials }),
      ...(address.endpoint !== undefined && { endpoint: address.endpoint }),
    });
  }

  /** The library is loaded by those alone who need it. */
  static async open(options: SqsOptions, events: BrokerEvents): Promise<SqsBroker> {
    return new SqsBroker(await import("@aws-sdk/client-sqs"), options, events);
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#wake.raise();
  }

  room(messages: number): void {
    this.#room = messages;
    this.#wake.raise();
  }

  wanted(queue: string): boolean {
    return queue === this.#options.queue;
  }

  consuming(): readonly string[] {
    return this.#paused || this.#url === "" ? [] : [this.#options.queue];
  }

  async run(signal: AbortSignal): Promise<void> {
    const { queue, log } = this.#options;
    const backoff = new Backoff(MOST_WAIT_MS);
    while (!signal.aborted) {
      const free = this.#room - this.#open.size;
      if (this.#paused || free <= 0) {
        await this.#wake.wait(60_000, signal);
        continue;
      }
      try {
        if (this.#url === "") {
          this.#url = await this.#queueUrl();
          log.info({ queue }, "takes jobs of the queue");
        }
        for (const message of await this.#receive(free)) {
          // What came with the last answer, and may not be taken any more.
          const work = this.#paused || signal.aborted ? this.#hide(message.ReceiptHandle, 0) : this.#settle(message);
          const settled = work.catch((error: Error) => log.error(`SQS was not told: ${error.message}`));
          this.#open.add(settled);
          void settled.finally(() => {
            this.#open.delete(settled);
            this.#wake.raise();
          });
        }
        backoff.reset();
      } catch (error) {
        log.warn(`SQS: ${(error as Error).message}`);
        await backoff.wait(signal);
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#open);
    this.#client.destroy();
  }

  async #queueUrl(): Promise<string> {
    const { GetQueueUrlCommand, CreateQueueCommand, QueueDoesNotExist } = this.#sdk;
    const name = sqsName(this.#options.queue);
    try {
      return (await this.#client.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl ?? "";
    } catch (error) {
      if (!(error instanceof QueueDoesNotExist)) throw error;
      const Attributes = { VisibilityTimeout: String(QUEUE_VISIBILITY_SECONDS) };
      return (await this.#client.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl ?? "";
    }
  }

  /** Never broken off: a message that is on its way to nobody is hidden from everybody for its time. */
  async #receive(free: number): Promise<readonly Message[]> {
    const command = new this.#sdk.ReceiveMessageCommand({
      QueueUrl: this.#url,
      MaxNumberOfMessages: Math.min(free, MOST_A_CALL),
      WaitTimeSeconds: POLL_SECONDS,
      VisibilityTimeout: this.#visibleAfter,
    });
    return (await this.#client.send(command)).Messages ?? [];
  }

  async #settle({ Body = "", ReceiptHandle, MessageId }: Message): Promise<void> {
    const raw = readEnvelope(Body);
    const task = typeof raw === "string" ? raw : readTaskMessage(raw);
    if (typeof task === "string") this.#options.log.error({ message: MessageId }, `dropped a message: ${task}`);
    else {
      const over = new AbortController();
      const kept = this.#keep(ReceiptHandle, over.signal);
      const end = await this.#events.task(task);
      over.abort();
      await kept;
      if (end.kind === "again") {
        await this.#hide(ReceiptHandle, 0);
        return;
      }
    }
    await this.#client.send(new this.#sdk.DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle }));
  }

  async #keep(handle: string | undefined, signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause((this.#visibleAfter * 1000) / 3, signal);
      if (signal.aborted) return;
      // At worst it comes again, and joins the work on this one.
      await this.#hide(handle, this.#visibleAfter).catch((error: Error) =>
        this.#options.log.warn(`SQS: a message may come again: ${error.message}`),
      );
    }
  }

  async #hide(ReceiptHandle: string | undefined, VisibilityTimeout: number): Promise<void> {
    const QueueUrl = this.#url;
    const { ChangeMessageVisibilityCommand } = this.#sdk;
    await this.#client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
  }
}

/** A queue's name as kombu writes it in SQS. */
const sqsName = (name: string): string => name.replaceAll(".", "-").replace(/[^A-Za-z0-9_-]/g, "_");

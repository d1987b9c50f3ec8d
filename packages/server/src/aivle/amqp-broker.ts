/**
 * RabbitMQ. One connection at a time, made again whenever anything of it is lost; a channel for tasks, whose messages are
 * acknowledged late, and one for remote control. What is consumed is what remote control asks for, unless all is paused.
 */
import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { connect } from "amqplib";
import type { Logger } from "pino";
import { Backoff } from "../worker/backoff.ts";
import type { Broker, ControlledEvents } from "./broker.ts";
import type { AmqpAddress } from "./broker-uri.ts";
import { obey } from "./remote-control.ts";
import { readTaskMessage, shown } from "./task-message.ts";
import { taskResult } from "./task-result.ts";

const CONTROL_EXCHANGE = "celery.pidbox";
const HEARTBEAT_SECONDS = 20;
const CONNECT_MS = 15_000;
const MOST_WAIT_MS = 30_000;
const MOST_QUEUES = 32;
/** AMQP's error of a server that cannot do what it is asked. */
const NOT_IMPLEMENTED = 540;
/** Beyond this a connection is given up as it is. */
const CLOSE_MS = 5000;

export interface AmqpOptions {
  readonly hosts: readonly AmqpAddress[];
  readonly queue: string;
  readonly concurrency: number;
  /** `name@host`. */
  readonly self: string;
  readonly log: Logger;
}

interface Live {
  readonly connection: ChannelModel;
  readonly tasks: Channel;
  /** Consumers' tags by their queues. */
  readonly consumers: Map<string, string>;
  /** How many messages may be unacknowledged, as the broker was told. */
  room: number;
  /** Ends the session. */
  readonly lose: (error: Error) => void;
}

export class AmqpBroker implements Broker {
  readonly controlled = true;
  readonly #options: AmqpOptions;
  readonly #events: ControlledEvents;
  readonly #queues: Set<string>;
  /** Messages whose end is still to be told. */
  readonly #open = new Set<Promise<void>>();
  #paused = true;
  #room: number;
  /** Quorum queues know no bound over all consumers, and RabbitMQ ends the connection that asks for one. */
  #roomOfAll = true;
  #live: Live | undefined;
  /** Changes of what is consumed, one after another. */
  #changes: Promise<void> = Promise.resolve();
  #clock = 0;

  constructor(options: AmqpOptions, events: ControlledEvents) {
    this.#options = options;
    this.#events = events;
    this.#queues = new Set([options.queue]);
    this.#room = options.concurrency;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { hosts, log } = this.#options;
    const backoff = new Backoff(MOST_WAIT_MS);
    for (let tries = 0; !signal.aborted; tries++) {
      const host = hosts[tries % hosts.length]!;
      try {
        await this.#session(host, signal, () => backoff.reset());
        if (!signal.aborted) log.warn(`the broker ${host.hostname}:${host.port} is gone`);
      } catch (error) {
        log.warn(`the broker ${host.hostname}:${host.port}: ${(error as Error).message}`);
        if ((error as { code?: unknown }).code === NOT_IMPLEMENTED && this.#roomOfAll) {
          this.#roomOfAll = false;
          log.warn("a queue takes no bound over all consumers: what waits for its ETA takes the place of others");
        }
      }
      await backoff.wait(signal);
    }
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#adjust();
  }

  room(messages: number): void {
    this.#room = messages;
    this.#adjust();
  }

  wanted(queue: string): boolean {
    return this.#queues.has(queue);
  }

  consuming(): readonly string[] {
    return [...(this.#live?.consumers.keys() ?? [])];
  }

  async close(): Promise<void> {
    await Promise.all(this.#open);
    const live = this.#live;
    this.#live = undefined;
    if (live === undefined) return;
    // In this order: what was said on a channel is heard before the channel's end, but maybe not before the connection's.
    await bounded(live.tasks.close(), CLOSE_MS).catch(() => {});
    await bounded(live.connection.close(), CLOSE_MS).catch(() => {});
  }

  /** Until the connection is lost; the end of the signal is not the connection's, for what is at hand is still to be told. */
  async #session(host: AmqpAddress, signal: AbortSignal, connected: () => void): Promise<void> {
    const lost = Promise.withResolvers<void>();
    const connection = await connect({ ...host, heartbeat: HEARTBEAT_SECONDS }, { timeout: CONNECT_MS });
    let why: Error | undefined;
    const lose = (error?: Error): void => {
      why ??= error;
      lost.resolve();
    };
    connection.on("error", lose);
    connection.on("close", lose);
    try {
      const opened = async (): Promise<Channel> => {
        const channel = await connection.createChannel();
        channel.on("error", lose);
        channel.on("close", lose);
        return channel;
      };
      const [tasks, control] = [await opened(), await opened()];
      const room = this.#room;
      await tasks.prefetch(room, this.#roomOfAll);
      const live: Live = { connection, tasks, consumers: new Map(), room, lose };
      await this.#listen(control);
      this.#live = live;
      connected();
      this.#options.log.info(`connected to the broker ${host.hostname}:${host.port}`);
      this.#adjust();
      await Promise.race([lost.promise, ended(signal)]);
      if (why !== undefined) throw why;
    } finally {
      if (!signal.aborted) {
        this.#live = undefined;
        this.#events.lost();
        await bounded(connection.close(), CLOSE_MS).catch(() => {});
      }
    }
  }

  #adjust(): void {
    const live = this.#live;
    if (live !== undefined) this.#changes = this.#changes.then(() => this.#change(live)).catch(live.lose);
  }

  async #change(live: Live): Promise<void> {
    // Of a session that is over.
    if (live !== this.#live) return;
    const { log } = this.#options;
    if (live.room !== this.#room && this.#roomOfAll) {
      live.room = this.#room;
      await live.tasks.prefetch(live.room, true);
    }
    const wanted = this.#paused ? new Set<string>() : this.#queues;
    for (const [queue, tag] of live.consumers)
      if (!wanted.has(queue)) {
        await live.tasks.cancel(tag);
        live.consumers.delete(queue);
        log.info({ queue }, "takes no more jobs of the queue");
      }
    for (const queue of wanted)
      if (!live.consumers.has(queue)) {
        await this.#declare(live.connection, queue);
        const { consumerTag } = await live.tasks.consume(queue, (message) => this.#delivered(live, queue, message));
        live.consumers.set(queue, consumerTag);
        log.info({ queue }, "takes jobs of the queue");
      }
  }

  /** The site's declaration stands, whatever its arguments; where the site has not been yet, the queue is as Celery would make it. */
  async #declare(connection: ChannelModel, queue: string): Promise<void> {
    // A question after what is not there costs the channel.
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    try {
      await channel.checkQueue(queue);
      await channel.close();
      return;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 404) throw error;
    }
    const fresh = await connection.createChannel();
    fresh.on("error", () => {});
    await fresh.assertQueue(queue, { durable: true });
    await fresh.close();
  }

  #delivered(live: Live, queue: string, message: ConsumeMessage | null): void {
    if (message === null) {
      live.lose(new Error(`the queue ${queue} was deleted`));
      return;
    }
    const settled = this.#settle(live.tasks, message).catch((error: Error) =>
      // The channel is gone; the message comes again, and is known.
      this.#options.log.debug(`the broker was not told: ${error.message}`),
    );
    this.#open.add(settled);
    void settled.finally(() => this.#open.delete(settled));
  }

  async #settle(channel: Channel, raw: ConsumeMessage): Promise<void> {
    const { contentType, contentEncoding, headers, replyTo, correlationId } = raw.properties;
    const task = readTaskMessage({ body: raw.content, contentType, contentEncoding, headers, replyTo, correlationId });
    if (typeof task === "string") {
      this.#options.log.error({ message: shown(headers?.id) }, `dropped a message: ${task}`);
      channel.reject(raw, false);
      return;
    }
    const end = await this.#events.task(task);
    if (end.kind === "again") {
      channel.nack(raw, false, true);
      return;
    }
    if (task.replyTo !== "")
      channel.publish("", task.replyTo, taskResult(task, end), {
        correlationId: task.correlationId,
        contentType: "application/json",
        contentEncoding: "utf-8",
      });
    if (end.kind === "refused") channel.reject(raw, false);
    else channel.ack(raw);
  }

  async #listen(channel: Channel): Promise<void> {
    await channel.assertExchange(CONTROL_EXCHANGE, "fanout", { durable: false });
    const { queue } = await channel.assertQueue("", { exclusive: true, autoDelete: true, durable: false });
    await channel.bindQueue(queue, CONTROL_EXCHANGE, "");
    await channel.consume(queue, (message) => message && this.#control(channel, message), { noAck: true });
  }

  #control(channel: Channel, { content, properties }: ConsumeMessage): void {
    const { self, log } = this.#options;
    // Celery's logical clock: what follows from a message is later than it.
    const clock = Number(properties.headers?.clock);
    this.#clock = Math.max(this.#clock, Number.isSafeInteger(clock) && clock >= 0 ? clock : 0) + 1;
    if (properties.contentType !== "application/json") return;
    const done = obey(content, self, {
      addConsumer: (queue) => {
        if (this.#queues.size >= MOST_QUEUES) throw new Error(`${MOST_QUEUES} queues at most`);
        this.#queues.add(queue);
        this.#adjust();
      },
      cancelConsumer: (queue) => {
        this.#queues.delete(queue);
        this.#adjust();
      },
      queues: () => this.consuming(),
      revoke: (ids, terminate) => this.#events.revoke(ids, terminate),
      revoked: () => this.#events.revoked(),
      jobs: () => this.#events.jobs(),
      grow: (by) => this.#events.grow(by),
      shutdown: () => this.#events.shutdown(),
      stats: () => ({ ...this.#events.stats(), prefetch_count: this.#live?.room ?? 0, clock: String(this.#clock) }),
    });
    if (done === null) return;
    if (typeof done === "string") {
      log.warn(`a message of remote control makes no sense: ${done}`);
      return;
    }
    log.info(`remote control: ${shown(done.method)}`);
    if (done.reply === undefined) return;
    const { exchange, routingKey, ticket, body } = done.reply;
    try {
      channel.publish(exchange, routingKey, body, {
        contentType: "application/json",
        contentEncoding: "utf-8",
        headers: { ticket, clock: this.#clock },
      });
    } catch (error) {
      log.debug(`a reply was not sent: ${(error as Error).message}`);
    }
  }
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

async function bounded(work: Promise<unknown>, ms: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, ms);
  try {
    await Promise.race([work, timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A queue of the self-test's own at the configured broker, with one task in it. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BrokerAddress } from "./broker-uri.ts";
import { TASK_NAME } from "./task-message.ts";

/** Should this process be killed, the queue goes by itself (RabbitMQ). */
const EXPIRES_MS = 600_000;

export interface TestQueue {
  /** Puts the task into it, as Celery does; its id. */
  publish(): Promise<string>;
  /** Whether the task's message is acknowledged, and was not handed out again. */
  settled(): Promise<boolean>;
  remove(): Promise<void>;
}

const headers = (id: string) => ({ lang: "py", task: TASK_NAME, id, root_id: id, parent_id: null, retries: 0 });
const BODY = JSON.stringify([[1], {}, { callbacks: null, errbacks: null, chain: null, chord: null }]);

export function openTestQueue(broker: BrokerAddress, queue: string, region: string): Promise<TestQueue> {
  return broker.kind === "amqp" ? amqpQueue(broker.hosts, queue) : sqsQueue(broker.sqs, queue, region);
}

async function amqpQueue(hosts: Extract<BrokerAddress, { kind: "amqp" }>["hosts"], queue: string): Promise<TestQueue> {
  const { connect } = await import("amqplib");
  const connection = await connect({ ...hosts[0]! }, { timeout: 15_000 });
  connection.on("error", () => {});
  const channel = await connection.createConfirmChannel();
  channel.on("error", () => {});
  await channel.assertQueue(queue, { durable: true, expires: EXPIRES_MS });
  return {
    async publish() {
      const id = randomUUID();
      channel.publish("", queue, Buffer.from(BODY), {
        contentType: "application/json",
        contentEncoding: "utf-8",
        correlationId: id,
        persistent: true,
        headers: headers(id),
      });
      await channel.waitForConfirms();
      return id;
    },
    // Called when nobody consumes any more: what was not acknowledged is back.
    settled: async () => (await channel.checkQueue(queue)).messageCount === 0,
    async remove() {
      await channel.deleteQueue(queue);
      await connection.close();
    },
  };
}

async function sqsQueue(
  { credentials, endpoint }: Extract<BrokerAddress, { kind: "sqs" }>["sqs"],
  queue: string,
  region: string,
): Promise<TestQueue> {
  const { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } =
    await import("@aws-sdk/client-sqs");
  const client = new SQSClient({
    region,
    ...(credentials && { credentials }),
    ...(endpoint !== undefined && { endpoint }),
  });
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: queue }));
  return {
    async publish() {
      const id = randomUUID();
      const envelope = {
        body: Buffer.from(BODY).toString("base64"),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        headers: headers(id),
        properties: { correlation_id: id, reply_to: "", body_encoding: "base64", delivery_info: {} },
      };
      const MessageBody = Buffer.from(JSON.stringify(envelope)).toString("base64");
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      return id;
    },
    async settled() {
      const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
      // Approximate: it may take a moment.
      for (let tries = 0; tries < 10; tries++) {
        const { Attributes = {} } = await client.send(
          new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
        );
        if (AttributeNames.every((name) => Attributes[name] === "0")) return true;
        await sleep(1000);
      }
      return false;
    },
    async remove() {
      await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
    },
  };
}

import { ListQueuesResponseSchema, type Queue, QueueSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { secondsText } from "../units.ts";

interface SetOptions extends RemoteOptions {
  readonly maxRunning?: number;
  readonly pause?: true;
  readonly resume?: true;
  readonly space?: string;
}

export function queueCommand(context: Context): Command {
  const queue = new Command("queue").description("queues: how full they are; bound, pause or make one");

  addRemoteOptions(queue.command("list"))
    .description("list the queues you may see")
    .addHelpText("after", "\nExample:\n  $ lanista queue list")
    .action(async (options: RemoteOptions) => {
      const answer = await (await remote(context, options)).jobs.listQueues({});
      print(context, options, ListQueuesResponseSchema, answer, () => queueTable(answer.queues));
    });

  addRemoteOptions(queue.command("set"))
    .description("bound or pause a queue, for administrators; a new name makes a queue")
    .argument("<queue>", "its name")
    .option("--max-running <n>", "jobs at once; 0: no bound", integer(0, 100_000))
    .option("--pause", "start no more jobs")
    .option("--resume", "start jobs again")
    .option("--space <space>", "of this space alone; for a new queue")
    .addHelpText("after", "\nExample:\n  $ lanista queue set gpu --max-running 4")
    .action(async (name: string, options: SetOptions) => {
      const { maxRunning, pause, resume, space } = options;
      const answer = await (await remote(context, options)).jobs.updateQueue({
        name,
        ...(maxRunning === undefined ? {} : { maxRunning }),
        ...(pause ? { paused: true } : resume ? { paused: false } : {}),
        ...(space === undefined ? {} : { space }),
      });
      print(context, options, QueueSchema, answer.queue!, () => queueTable([answer.queue!]));
    });

  return queue;
}

function queueTable(queues: readonly Queue[]): string {
  return rows(
    ["queue", "waiting>", "oldest>", "running>", "at most>", "set aside>", "workers>", ""],
    queues.map((each) => [
      each.name,
      String(each.waiting),
      each.waiting === 0 ? "–" : secondsText(Number(each.oldestSeconds)),
      String(each.running),
      each.maxRunning === 0 ? "–" : String(each.maxRunning),
      String(each.dead),
      String(each.workers),
      each.paused ? "paused" : "",
    ]),
    "no queues",
  );
}

import { ListWorkersResponseSchema, type Worker, WorkerSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { bytesText } from "../units.ts";

export function workerList(context: Context): Command {
  return addRemoteOptions(new Command("list"))
    .description("list the server's workers, for organisers")
    .addHelpText("after", "\nExample:\n  $ lanista worker list")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<RemoteOptions>();
      const client = await remote(context, options);
      const workers: Worker[] = [];
      for await (const answer of pages((page) => client.workers.listWorkers({ page }))) workers.push(...answer.workers);
      const all = { $typeName: ListWorkersResponseSchema.typeName, workers, nextPageToken: "" } as const;
      print(context, options, ListWorkersResponseSchema, all, () => workerTable(workers));
    });
}

export function workerDrain(context: Context): Command {
  return addRemoteOptions(new Command("drain"))
    .description("let a worker finish what it has and take no more, for administrators")
    .argument("<worker>", "its id, see worker list")
    .option("--undo", "let it take jobs again")
    .addHelpText("after", "\nExample:\n  $ lanista worker drain 0192c7a4-8a0e-7d3c-9a51-0c3f3a1d2b4e")
    .action(async (workerId: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<RemoteOptions & { undo?: true }>();
      const client = await remote(context, options);
      const { worker } = await client.workers.drainWorker({ workerId, drain: options.undo !== true });
      print(context, options, WorkerSchema, worker!, () => workerTable([worker!]));
    });
}

function workerTable(workers: readonly Worker[]): string {
  return rows(
    ["worker", "id", "version", "queues", "jobs>", "memory free>", "tiers", ""],
    workers.map((each) => [
      each.name,
      each.id,
      each.version,
      each.queues.join(", "),
      `${each.running} of ${each.concurrency}`,
      each.free === undefined ? "–" : bytesText(Number(each.free.memoryBytes)),
      [...new Set(each.tiers.map(({ tier }) => tier))].join(", "),
      each.live ? each.paused || (each.draining ? "draining" : "") : "away",
    ]),
    "no workers",
  );
}

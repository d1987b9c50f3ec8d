import { RegradeResponseSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { Command } from "commander";
import type { Context } from "../../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../../remote/options.ts";
import { print } from "../../remote/print.ts";
import { remote } from "../../remote/remote.ts";
import { plural } from "../../units.ts";
import { UsageError } from "../../usage-error.ts";
import { TASK } from "./sub.ts";

interface RegradeOptions extends RemoteOptions {
  readonly submission?: string;
  readonly imported?: boolean;
}

export function regradeCommand(context: Context): Command {
  return addRemoteOptions(new Command("regrade"))
    .description("grade what was handed in for a task again, by the version now in use; the grades before stay")
    .argument("[task]", `${TASK}: all that this version has not graded yet`)
    .option("--submission <id>", "this one alone, whatever graded it")
    .option("--imported", "also what was brought over with its grade from elsewhere, as by import aivle")
    .addHelpText("after", "\nExamples:\n  $ lanista regrade cs1/lake\n  $ lanista regrade --submission 0195…")
    .action(async (name: string | undefined, options: RegradeOptions) => {
      const { submission, imported = false } = options;
      if ((name === undefined) === (submission === undefined))
        throw new UsageError("name a task, or give --submission");
      if (imported && submission !== undefined)
        throw new UsageError("--imported goes with a task: a submission is graded, whatever graded it");
      const client = await remote(context, options);
      const what =
        submission === undefined
          ? { case: "taskId" as const, value: (await client.tasks.getTask({ task: name ?? "" })).task!.id }
          : { case: "submissionId" as const, value: submission };
      const answer = await client.grades.regrade({ what, imported });
      // One call takes so many.
      for (let left = answer.left; left > 0; ) {
        const more = await client.grades.regrade({ what, imported });
        answer.queued += more.queued;
        left = more.queued === 0 ? 0 : more.left;
        answer.left = more.left;
      }
      print(context, options, RegradeResponseSchema, answer, () => `${plural(answer.queued, "submission")} queued.`);
    });
}

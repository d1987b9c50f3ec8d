import type { Command } from "commander";
import { adminCommand } from "./commands/admin.ts";
import { aivleWorkerCommand } from "./commands/aivle-worker.ts";
import { courseCommand } from "./commands/course/course.ts";
import { regradeCommand } from "./commands/course/regrade.ts";
import { importCommand } from "./commands/import/import.ts";
import { jobCommand } from "./commands/job.ts";
import { ladderCommand } from "./commands/ladder.ts";
import { leaderboardCommand } from "./commands/leaderboard.ts";
import { loginCommand, logoutCommand, whoamiCommand } from "./commands/login.ts";
import { logsCommand } from "./commands/logs.ts";
import { passwordCommand } from "./commands/password.ts";
import { queueCommand } from "./commands/queue.ts";
import { scheduleCommand } from "./commands/schedule.ts";
import { spaceCommand } from "./commands/space.ts";
import { statusCommand } from "./commands/status.ts";
import { submitCommand } from "./commands/submit.ts";
import { tokenCommand } from "./commands/token.ts";
import { workerCommand } from "./commands/worker.ts";
import type { Context } from "./context.ts";

/** The commands that talk to a server, in the order of the help. */
export function serverCommands(context: Context): Command[] {
  return [
    loginCommand,
    logoutCommand,
    whoamiCommand,
    passwordCommand,
    submitCommand,
    statusCommand,
    logsCommand,
    leaderboardCommand,
    spaceCommand,
    courseCommand,
    regradeCommand,
    importCommand,
    ladderCommand,
    scheduleCommand,
    jobCommand,
    queueCommand,
    tokenCommand,
    workerCommand,
    aivleWorkerCommand,
    adminCommand,
  ].map((make) => make(context));
}

import type { Command } from "commander";
import { jobCommand } from "./commands/job.ts";
import { ladderCommand } from "./commands/ladder.ts";
import { leaderboardCommand } from "./commands/leaderboard.ts";
import { loginCommand, logoutCommand, whoamiCommand } from "./commands/login.ts";
import { logsCommand } from "./commands/logs.ts";
import { queueCommand } from "./commands/queue.ts";
import { spaceCommand } from "./commands/space.ts";
import { statusCommand } from "./commands/status.ts";
import { submitCommand } from "./commands/submit.ts";
import { tokenCommand } from "./commands/token.ts";
import type { Context } from "./context.ts";

/** The commands that talk to a server, in the order of the help. */
export function serverCommands(context: Context): Command[] {
  return [
    loginCommand,
    logoutCommand,
    whoamiCommand,
    submitCommand,
    statusCommand,
    logsCommand,
    leaderboardCommand,
    spaceCommand,
    ladderCommand,
    jobCommand,
    queueCommand,
    tokenCommand,
  ].map((make) => make(context));
}

import { Command } from "commander";
import type { Context } from "../context.ts";
import { namesBundle } from "../named-environment.ts";
import { integer, repeated } from "../option-values.ts";
import { addPackageOptions } from "../package-options.ts";
import { addBoxOptions, type BoxOptions } from "../play-options.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { type CheckOptions, envCheck } from "./env-check.ts";
import { envList } from "./env-list.ts";
import type { PackagesOptions } from "./env-packages.ts";
import { envShow } from "./env-show.ts";
import type { UploadOptions } from "./env-upload.ts";
import type { WarmOptions } from "./env-warm.ts";

export function envCommand(context: Context): Command {
  const env = new Command("env").description(
    "environments: list them, describe one, check one, hand one in; the Python packages that agents and tasks need",
  );

  env
    .command("list")
    .description("list the built-in environments")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista env list")
    .action((options: { json?: true }) => envList(context, options.json === true));

  addBoxOptions(env.command("show"))
    .description("describe an environment: its rules, options, spaces and first position")
    .argument("<env>", "an id, see env list; or a bundle (a folder or a .zip), which is opened in a sandbox")
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista env show hex --option size=5")
    .action(async (id: string, options: BoxOptions & { option?: readonly string[]; json?: true }) => {
      const given = options.option ?? [];
      if (!namesBundle(id)) return envShow(context, id, given, options.json === true);
      const { showBundle } = await import("./env-show-bundle.ts");
      return showBundle(context, id, given, options);
    });

  addBoxOptions(env.command("check"))
    .description("run the conformance kit on an environment, built in or your own")
    .argument(
      "<env>",
      "an id, a bundle (a folder or a .zip), a module whose default export is the definition, or a Python file",
    )
    .option(
      "--option <name=value>",
      "an option of the environment; may be repeated (default: each at its ends)",
      repeated,
    )
    .option(
      "--episodes <n>",
      "random playouts for each set of options (default: 20, 3 at the ends; of a bundle: 5)",
      integer(1, 1_000_000),
    )
    .option("--seed <n>", "the seed of the first playout", integer(0, 2 ** 52), 0)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
A bundle runs in sandboxes. A file of yours is trusted: it runs with your rights, outside every sandbox. Ends with 1 if something was found.

Example:
  $ lanista env check ./my-environment.mjs`,
    )
    .action((name: string, options: CheckOptions) => envCheck(context, name, options));

  const warm = env
    .command("warm")
    .description("build the Python packages that requirements ask for, so that nobody waits for them later")
    .argument(
      "<path...>",
      "a requirements file, or a bundle (a folder or a .zip): an agent's, a task's, or one of aiVLE's",
    );
  addPackageOptions(warm)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
What is there already is not built again. Ends with 2 if the requirements cannot be had, 4 if the index is out of reach.

Example:
  $ lanista env warm requirements.txt grader.zip`,
    )
    .action(async (paths: readonly string[], options: WarmOptions) => {
      const { envWarm } = await import("./env-warm.ts");
      await envWarm(context, paths, options);
    });

  env
    .command("packages")
    .description("list the sets of Python packages that were built here")
    .option("--clean", "remove those that nobody uses")
    .option("--unused-for <days>", "with --clean: only those not used for so long", integer(0, 36_500), 0)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista env packages --clean --unused-for 7")
    .action(async (options: PackagesOptions) => {
      const { envPackages } = await import("./env-packages.ts");
      await envPackages(context, options);
    });

  addRemoteOptions(env.command("upload"))
    .description("hand in an environment for the ladders of a space you organise, and wait until it is checked")
    .argument("<bundle>", "a folder or a .zip with an environment.yaml (see init env)")
    .requiredOption("--space <space>", "the space")
    .option("--queue <queue>", "where its check waits")
    .option("--tier <tier>", "its check's sandboxes: container, gvisor or docker")
    .addHelpText(
      "after",
      `
Ends with 1 if something was found. A ladder is then made with its id: ladder create my-ladder --space winter --env 0195…

Example:
  $ lanista env upload my-game --space winter`,
    )
    .action(async (path: string, options: UploadOptions) => (await uploads()).envUpload(context, path, options));

  addRemoteOptions(env.command("uploaded"))
    .description("list the environments that were handed in for a space, and what was found in them")
    .requiredOption("--space <space>", "the space")
    .addHelpText("after", "\nExample:\n  $ lanista env uploaded --space winter")
    .action(async (options: RemoteOptions & { space: string }) => (await uploads()).envUploaded(context, options));

  addRemoteOptions(env.command("download"))
    .description("fetch the bundle of an environment that was handed in, to play in or to verify replays by")
    .argument("<id>", "its id, see env uploaded")
    .option("--output <file>", "where to (default: ID.zip)")
    .addHelpText("after", "\nExample:\n  $ lanista env download 0195… --output my-game.zip")
    .action(async (id: string, options: RemoteOptions & { output?: string }) =>
      (await uploads()).envDownload(context, id, options),
    );

  return env;
}

/** The other commands need no server, nor wait for what speaks to one. */
const uploads = () => import("./env-upload.ts");

import type { Server } from "@lanista/server/main";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { addSettingOptions, settingSources } from "../setting-options.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";

export function serveCommand(context: Context): Command {
  return addSettingOptions(new Command("serve").description("run the server: everything it needs comes with it"))
    .option("--json", "print one JSON document when it is up")
    .addHelpText(
      "after",
      `
Ctrl-C or SIGTERM lets it finish what it has (at most --shutdown-seconds) and ends it; nothing is lost either way.
lanista config print shows every setting and where it comes from.

Examples:
  $ lanista serve
  $ lanista serve --data-dir /var/lib/lanista --http-host 0.0.0.0 --public-url https://lanista.example.org
  $ DATABASE_URL=postgres://lanista@db/lanista lanista serve`,
    )
    .action((options: Readonly<Record<string, unknown>>) => serve(context, options));
}

async function serve(context: Context, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { terminal, signal } = context;
  const [{ loadConfig }, { startServer }, { createLog }] = await Promise.all([
    import("@lanista/server/config/config"),
    import("@lanista/server/main"),
    import("@lanista/server/ops/log"),
  ]);
  const { config, origins } = loadConfig(settingSources(context, options));
  const forPeople = origins["log.pretty"]?.from === "default" && process.stderr.isTTY === true;
  const log = createLog(forPeople ? { log: { ...config.log, pretty: true } } : config);
  const [node, main] = process.argv;
  const server = await startServer(config, {
    log,
    ...(node === undefined || main === undefined ? {} : { command: [node, ...process.execArgv, main] }),
  });
  try {
    if (options.json === true)
      writeJson(terminal, { ...server.urls, dataDir: config.dataDir, initSecret: server.initSecret });
    else writeLine(terminal, banner(context, server, config.databaseUrl === "" ? config.dataDir : null));
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
  } finally {
    await server.close();
  }
}

function banner({ terminal }: Context, { urls, initSecret }: Server, dataDir: string | null): string {
  const paint = painter(terminal, terminal.stdout);
  const lines = [
    paint("bold", "Lanista is up."),
    `  HTTP     ${urls.http}`,
    ...(urls.grpc === null ? [] : [`  gRPC     ${urls.grpc.replace("http://", "")}`]),
    ...(urls.metrics === null ? [] : [`  metrics  ${urls.metrics}/metrics`]),
    ...(dataDir === null ? [] : [`  data     ${dataDir}`]),
  ];
  if (initSecret !== null)
    lines.push(
      "",
      "It has no administrator yet. This one-time token makes one:",
      `  lanista admin init --server ${urls.http} --secret ${initSecret}`,
    );
  return [...lines, "", "Ctrl-C ends it."].join("\n");
}

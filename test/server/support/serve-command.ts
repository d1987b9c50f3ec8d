/** The command as people start it, from its sources: `lanista serve` in one folder, and commands that come to an end. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect, type LanistaClient } from "@lanista/api/client";
import { z } from "zod";

const MAIN = join(import.meta.dirname, "../../../packages/cli/src/main.ts");
const UP_MS = 180_000;

const document = z.object({
  http: z.string(),
  grpc: z.string(),
  metrics: z.string(),
  initSecret: z.string().nullable(),
});

export type Served = z.infer<typeof document>;

function command(words: readonly string[], folder: string): ChildProcess {
  return spawn(process.execPath, ["--conditions=lanista-source", MAIN, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: folder,
  });
}

/** Resolves once it is up. `children` gains the process at once. */
export async function serve(
  folder: string,
  children: ChildProcess[],
  more: readonly string[] = [],
): Promise<{ child: ChildProcess; up: Served; log: () => string }> {
  const ports = ["--http-port", "0", "--grpc-port", "0", "--metrics-port", "0"];
  const words = ["serve", "--json", "--data-dir", folder, ...ports, "--shutdown-seconds", "5", ...more];
  const child = command(words, folder);
  children.push(child);
  let out = "";
  let log = "";
  child.stderr?.on("data", (data) => {
    log += String(data);
  });
  const up = await new Promise<Served>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not up: ${log}`)), UP_MS);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${log}`)));
    child.stdout?.on("data", (data) => {
      out += String(data);
      try {
        resolve(document.parse(JSON.parse(out)));
        clearTimeout(timer);
      } catch {
        // Not all of it yet.
      }
    });
  });
  return { child, up, log: () => log };
}

export const ADMINISTRATOR = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };

export async function init(up: Served): Promise<LanistaClient> {
  const { token } = await connect({ url: up.http }).tokens.initAdministrator({
    ...ADMINISTRATOR,
    secret: up.initSecret ?? "",
  });
  return connect({ url: up.http, token });
}

/** By the routes of the accounts; `body` with an invitation's code where one is needed. */
export async function signed(up: Served, how: "sign-in" | "sign-up", body: object): Promise<LanistaClient> {
  const answer = await fetch(`${up.http}/api/auth/${how}/email`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { token } = (await answer.json()) as { token: string };
  return connect({ url: up.http, token });
}

export const exit = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? String(code))));

/** Runs a command to its end. */
export async function ran(folder: string, words: readonly string[]): Promise<{ ended: string; said: string }> {
  const child = command(words, folder);
  const [ended, out, err] = await Promise.all([exit(child), text(child.stdout!), text(child.stderr!)]);
  return { ended, said: out + err };
}

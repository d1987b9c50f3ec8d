/** A process that starts the embedded PostgreSQL on the folder it is told, says so in one JSON line, and goes on. */
import { startEmbedded } from "@lanista/server/db/embedded";

const log = { debug: () => {}, info: () => {}, warn: (text: string) => process.stderr.write(`${text}\n`) };
const embedded = await startEmbedded({ dataDir: process.argv[2] ?? "", log });
process.stdout.write(`${JSON.stringify({ url: embedded.url, pid: embedded.pid() })}\n`);
process.once("SIGTERM", () => void embedded.stop());

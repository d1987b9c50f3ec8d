/** A process that asks for a set of packages, and tells how far it is: for tests that kill it, or run two. */
import { SandboxHost } from "@lanista/sandbox/host";
import { PackageSets } from "@lanista/sandbox/python/package-sets";

const { requirements, runDir, ...options } = JSON.parse(process.argv[2]!);
const host = await SandboxHost.open({ runDir });
const sets = await PackageSets.open({ host, ...options });
const set = await sets.ensure(requirements, { onProgress: (line) => console.log(line) });
console.log(`key ${set.key}`);
await sets.close();
await host.close();

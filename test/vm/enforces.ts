/**
 * Fails unless this host can enforce every limit of the container tier. The suite skips the tests of limits that a host
 * cannot enforce; where it must be able to, that has to be said first.
 */
import { cgroupLayout } from "@lanista/sandbox/cgroup-layout";
import { unenforceable } from "@lanista/sandbox/enforceable";

const layout = cgroupLayout();
const reasons = [...unenforceable("crun", layout, process.getuid?.() !== 0)];
for (const [name, why] of reasons) console.error(`${name} cannot be enforced: ${why}`);
if (layout.mode !== "v2") console.error(`the control groups are ${layout.mode}, not v2`);
process.exitCode = reasons.length === 0 && layout.mode === "v2" ? 0 : 1;

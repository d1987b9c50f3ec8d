/** The processes below one, for boxes whose control groups were given up. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * Ids of all processes below `pid`, nearest first, as this process sees them. One that is born or moves to another parent
 * meanwhile may be missed. Empty where the kernel has no /proc/…/children.
 */
export function descendants(pid: number): number[] {
  const found: number[] = [];
  collect(pid, found);
  for (let i = 0; i < found.length; i++) collect(found[i]!, found);
  return found;
}

function collect(pid: number, found: number[]): void {
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`))
      for (const word of readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" "))
        if (word !== "") found.push(Number(word));
  } catch {
    // Gone, or on a kernel without the file.
  }
}

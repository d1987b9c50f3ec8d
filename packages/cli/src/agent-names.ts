/** What agents are called in tables and replays. */
import { basename, dirname, resolve } from "node:path";

/** `name` may have an ending, as a file's has. */
function tellsNothing(name: string): boolean {
  return /^(agent|main|index|run)(\.[a-z]+)?$/.test(name);
}

/**
 * One distinct name for each agent: the bundle's own; with its folder's in front where that name says nothing or another
 * agent has it too; numbered where even that does not tell them apart.
 */
export function distinctNames(agents: readonly { readonly path: string; readonly name: string }[]): string[] {
  const longer = agents.map(({ path, name }) => {
    const shared = agents.some((other) => other.name === name && resolve(other.path) !== resolve(path));
    if (!shared && !tellsNothing(name)) return name;
    const folder = basename(dirname(resolve(path)));
    if (folder === "") return name;
    return tellsNothing(name) && !shared ? folder : `${folder}/${name}`;
  });
  return longer.map((name, i) => {
    if (longer.indexOf(name) === longer.lastIndexOf(name)) return name;
    return `${name} #${longer.slice(0, i + 1).filter((other) => other === name).length}`;
  });
}

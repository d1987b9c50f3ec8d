import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import type { Context } from "../context.ts";
import { table } from "../table.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";

export function envList(context: Context, json: boolean): void {
  const { terminal } = context;
  const list = [...environments.values()].map((definition) => {
    const { info, turn } = makeEnvironment(definition);
    return {
      id: definition.id,
      version: definition.version,
      title: definition.title,
      seats: info.seats,
      turn,
      chance: info.chance,
      perfectInformation: info.perfectInformation,
      options: Object.keys(definition.options),
    };
  });
  if (json) {
    writeJson(terminal, { environments: list });
    return;
  }
  const paint = painter(terminal, terminal.stdout);
  writeLine(
    terminal,
    table(
      [{ title: "env" }, { title: "seats", align: "right" }, { title: "turns" }, { title: "options" }],
      list.map((one) => [
        paint("bold", one.id),
        String(one.seats),
        [one.turn, one.chance ? "chance" : "", one.perfectInformation ? "" : "hidden information"]
          .filter((word) => word !== "")
          .join(", "),
        one.options.join(", "),
      ]),
    ),
  );
}

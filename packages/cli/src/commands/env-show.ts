import { SeededChance } from "@lanista/games/chance";
import type { Environment } from "@lanista/games/environment";
import type { OptionSchema } from "@lanista/games/options";
import type { Space } from "@lanista/games/space";
import type { Context } from "../context.ts";
import { builtIn, fixed } from "../environments.ts";
import { table } from "../table.ts";
import { painter, type Terminal, writeJson, writeLine } from "../terminal.ts";

export function envShow(context: Context, id: string, given: readonly string[], json: boolean): void {
  const { terminal } = context;
  const environment = fixed(builtIn(id), given);
  if (json) writeJson(terminal, document(environment));
  else print(terminal, environment, given.length > 0);
}

function document({ definition, info, options, turn }: Environment): unknown {
  const { id, version, title, description } = definition;
  return {
    id,
    version,
    title,
    description,
    turn,
    seats: info.seats,
    actionSpace: { type: "Discrete", n: info.actions },
    observationSpace: finite(info.observation),
    masked: info.everyActionLegal !== true,
    returnRange: info.returnRange.map(bound),
    maxSteps: bound(info.maxSteps),
    zeroSum: info.zeroSum,
    chance: info.chance,
    perfectInformation: info.perfectInformation,
    schema: definition.options,
    options,
  };
}

function print(terminal: Terminal, environment: Environment, chosen: boolean): void {
  const { definition, info, options, turn } = environment;
  const paint = painter(terminal, terminal.stdout);
  writeLine(terminal, `${paint("bold", definition.title)}  ${definition.id}, version ${definition.version}\n`);
  writeLine(terminal, wrap(definition.description, Math.min(terminal.stdout.columns ?? 88, 100)));
  writeLine(terminal);
  const facts: [string, string][] = [
    ["seats", `${info.seats}, ${turn}${info.zeroSum ? ", zero-sum" : ""}`],
    ["actions", `0 … ${info.actions - 1}`],
    ["observation", spaceText(info.observation)],
    [
      "agents see",
      info.everyActionLegal ? "the observation alone: every action is always legal" : "observation and action_mask",
    ],
    ["return", `${info.returnRange[0]} … ${info.returnRange[1]}`],
    ["ends after", Number.isFinite(info.maxSteps) ? `${info.maxSteps} steps at most` : "as the rules say"],
    ["chance", info.chance ? "yes" : "no"],
    ["hidden", info.perfectInformation ? "nothing" : "part of the state"],
  ];
  for (const [name, value] of facts) writeLine(terminal, `${paint("dim", name.padEnd(12))} ${value}`);
  const names = Object.keys(definition.options);
  if (names.length > 0) {
    const rows = names.map((name) => {
      const schema = definition.options[name]!;
      return [name, range(schema), String(options[name]), schema.description];
    });
    const columns = ["option", "values", chosen ? "chosen" : "default", "meaning"].map((title) => ({
      title,
    }));
    writeLine(terminal, `\n${table(columns, rows)}`);
  }
  const state = environment.newState();
  environment.reset(state, SeededChance.fromSeed(0));
  writeLine(
    terminal,
    `\n${paint("dim", info.chance ? "a first position" : "the first position")}\n${environment.render(state)}`,
  );
}

/** JSON has no infinities: written as the strings that agents get, too. */
function bound(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function finite(space: Space): unknown {
  if (space.type === "Discrete") return space;
  const side = (value: number | readonly number[]): unknown =>
    typeof value === "number" ? bound(value) : value.map(bound);
  return { ...space, low: side(space.low), high: side(space.high) };
}

function spaceText(space: Space): string {
  if (space.type === "Discrete") return `Discrete(${space.n})`;
  const side = (value: number | readonly number[]): string => (typeof value === "number" ? String(value) : "…");
  return `Box(${side(space.low)} … ${side(space.high)}, ${space.shape.join(" × ")}, ${space.dtype})`;
}

function range(schema: OptionSchema): string {
  switch (schema.type) {
    case "integer":
    case "number":
      return `${schema.minimum} … ${schema.maximum}`;
    case "boolean":
      return "true, false";
    case "string":
      return schema.enum.join(", ");
  }
}

function wrap(text: string, columns: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].join("\n");
}

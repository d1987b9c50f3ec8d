import type { BundledSource } from "@lanista/arena/bundled/environment-boxes";
import type { SeatView } from "@lanista/arena/episodes/episodes";
import { type Space, spaceJson } from "@lanista/arena/episodes/spaces";
import { SandboxHost } from "@lanista/sandbox/host";
import { withSource } from "../bundled.ts";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { unclosedText } from "../outcome-text.ts";
import { arenaOptions, type BoxOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { oneLine, painter, printable, writeJson, writeLine } from "../terminal.ts";

/** Describes a bundled environment as it says of itself, opened in a box. */
export async function showBundle(
  context: Context,
  path: string,
  given: readonly string[],
  options: BoxOptions & { readonly json?: true },
): Promise<void> {
  const { terminal, signal } = context;
  const progress = startProgress(terminal, () => "Opening the environment…");
  const onUnclosed = (error: Error): void => progress.note(unclosedText(error));
  const request = { path, given, options: arenaOptions(options), signal, onUnclosed };
  try {
    await closing(
      await SandboxHost.open(),
      (host) =>
        withSource(host, request, async (source) => {
          progress.end();
          if (options.json) writeJson(terminal, document(source));
          else writeLine(terminal, text(source, painter(terminal, terminal.stdout)));
        }),
      onUnclosed,
    );
  } finally {
    progress.end();
  }
}

function document({ id, version, options, bundle, views, seats, environment, ...rest }: BundledSource): unknown {
  const { title, description, api, maxSteps, options: schema } = environment.manifest;
  const bound = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
  return {
    id,
    version,
    title,
    description,
    bundle,
    api,
    seats: views.map(({ action, observation, masked }, seat) => ({
      name: seats[seat],
      actionSpace: spaceJson(action),
      observationSpace: spaceJson(observation),
      masked,
    })),
    returnRange: rest.returnRange.map(bound),
    maxSteps,
    zeroSum: rest.zeroSum,
    schema,
    options,
  };
}

function text(source: BundledSource, paint: ReturnType<typeof painter>): string {
  const { title, description, api, maxSteps } = source.environment.manifest;
  const options = Object.entries(source.options).map(([name, value]) => `${name}=${value}`);
  const facts: [string, string][] = [
    ["api", api],
    ["bundle", source.bundle],
    ["options", options.join(" ") || "none"],
    ["ends after", `${maxSteps} steps at most`],
    ...source.views.map((view, seat): [string, string] => [`seat ${seat}`, seatText(view, source.seats[seat]!)]),
  ];
  const lines = facts.map(([name, value]) => `${paint("dim", name.padEnd(12))} ${oneLine(value)}`);
  const head = `${paint("bold", oneLine(title))}  ${source.id}, version ${source.version}`;
  return [head, ...(description === "" ? [] : ["", printable(description)]), "", ...lines].join("\n");
}

function seatText({ action, observation, masked }: SeatView, name: string): string {
  return `${name}: sees ${spaceText(observation)}${masked ? " and action_mask" : ""}, plays ${spaceText(action)}`;
}

function spaceText(space: Space): string {
  switch (space.type) {
    case "Discrete":
      return `Discrete(${space.start === undefined ? "" : `${space.start} … ${space.start + space.n - 1}, `}${space.n})`;
    case "Box":
      return `Box(${space.shape.join(" × ")}, ${space.dtype})`;
    case "MultiDiscrete":
      return `MultiDiscrete(${space.nvec.length > 8 ? space.shape.join(" × ") : space.nvec.join(", ")})`;
    case "MultiBinary":
      return `MultiBinary(${space.shape.join(" × ")})`;
    case "Text":
      return `Text(${space.max_length})`;
    case "Tuple":
      return `Tuple(${space.spaces.map(spaceText).join(", ")})`;
    case "Dict":
      return `Dict(${space.spaces.map(([key, one]) => `${key}: ${spaceText(one)}`).join(", ")})`;
  }
}

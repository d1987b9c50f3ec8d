/** EnvironmentService: what this server plays. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type { EnvironmentSchema, EnvironmentService } from "@lanista/api/gen/lanista/v1/environments_pb";
import { type EnvironmentDefinition, makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import type { Space } from "@lanista/games/space";
import { notFound } from "../auth/access.ts";

function inWords(space: Space): string {
  if (space.type === "Discrete") return `Discrete(${space.n})`;
  const side = (value: number | readonly number[]): string => (typeof value === "number" ? String(value) : "…");
  return `Box(${side(space.low)} … ${side(space.high)}, ${space.shape.join(" × ")}, ${space.dtype})`;
}

function message(definition: EnvironmentDefinition): MessageInitShape<typeof EnvironmentSchema> {
  const { info } = makeEnvironment(definition);
  return {
    id: definition.id,
    version: definition.version,
    title: definition.title,
    minSeats: info.seats,
    maxSeats: info.seats,
    options: Object.entries(definition.options).map(([name, { description, default: fallback }]) => ({
      name,
      description,
      defaultJson: JSON.stringify(fallback),
    })),
    observationSpace: inWords(info.observation),
    actionSpace: `Discrete(${info.actions})`,
  };
}

export function environmentService(): ServiceImpl<typeof EnvironmentService> {
  return {
    listEnvironments: () => ({ environments: [...environments.values()].map(message) }),
    getEnvironment(request) {
      const definition = environments.get(request.id);
      if (definition === undefined) throw notFound(`the environment "${request.id}"`);
      return { environment: message(definition) };
    },
  };
}

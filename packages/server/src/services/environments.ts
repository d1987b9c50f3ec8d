/** EnvironmentService: what this server plays, built in and handed in. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  AddEnvironmentRequestSchema,
  AddEnvironmentResponseSchema,
  type EnvironmentSchema,
  type EnvironmentService,
} from "@lanista/api/gen/lanista/v1/environments_pb";
import { type EnvironmentDefinition, makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import type { Space } from "@lanista/games/space";
import type { App } from "../app.ts";
import { notFound, requireSpace, requireUser } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import {
  addEnvironment,
  environmentMessage,
  listEnvironments,
  requireEnvironment,
} from "../environments/space-environments.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

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

export function environmentService(app: App): ServiceImpl<typeof EnvironmentService> {
  const { db } = app;
  return {
    listEnvironments: () => ({ environments: [...environments.values()].map(message) }),
    getEnvironment(request) {
      const definition = environments.get(request.id);
      if (definition === undefined) throw notFound(`the environment "${request.id}"`);
      return { environment: message(definition) };
    },

    addEnvironment: (request, context) =>
      mutate(
        app,
        context,
        { input: AddEnvironmentRequestSchema, output: AddEnvironmentResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space } = await requireSpace(tx, caller, request.space, "organiser");
          const row = await addEnvironment(app, tx, space.id, requireUser(caller).id, request);
          note.subject = row.id;
          note.spaceId = space.id;
          return { environment: environmentMessage(row) };
        },
      ),

    async listSpaceEnvironments(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "assistant");
      const wanted = pageWanted(request.page, 1);
      const found = await listEnvironments(db, space.id, wanted);
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { environments: rows.map(environmentMessage), nextPageToken };
    },

    async getSpaceEnvironment(request, context) {
      const row = await requireEnvironment(db, callerOf(context), request.environmentId, "assistant");
      return { environment: environmentMessage(row) };
    },

    async *downloadEnvironment(request, context) {
      const { digest } = await requireEnvironment(db, callerOf(context), request.environmentId, "assistant");
      for await (const data of await app.store.open(digest)) yield { data };
    },
  };
}

import { LanistaError } from "@lanista/api/errors";
import { type Environment, makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";

/**
 * An environment with its default options. Ids are matched as people write them: `connect_four` and `Connect-Four` are
 * `connect-four`. Throws LanistaError `invalid`.
 */
export function environmentNamed(name: string): Environment {
  const definition = environments.get(name) ?? environments.get(name.toLowerCase().replaceAll(/[_ ]/g, "-"));
  if (definition !== undefined) return makeEnvironment(definition);
  throw new LanistaError("invalid", `there is no environment ${JSON.stringify(name.slice(0, 64))}`, {
    field: "environment",
    hint: `There are ${[...environments.keys()].join(", ")}.`,
  });
}

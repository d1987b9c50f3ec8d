/** The environment of a case, with its options; and whether the case's seats fit it. */
import { type Environment, makeEnvironment } from "@lanista/games/environment";
import { OptionError } from "@lanista/games/options";
import { environments } from "@lanista/games/registry";
import { type EnvironmentCase, MANIFEST } from "./manifest.ts";
import { TaskError } from "./task-error.ts";

/** `place`: of the case in the manifest. Throws TaskError. */
export function environmentOf(id: string, one: EnvironmentCase, place: string): Environment {
  const definition = environments.get(id);
  if (definition === undefined)
    throw new TaskError(
      `${MANIFEST}: environment: there is no ${JSON.stringify(id)}; there are ${[...environments.keys()].join(", ")}`,
    );
  let env: Environment;
  try {
    env = makeEnvironment(definition, one.options);
  } catch (error) {
    if (error instanceof OptionError) throw new TaskError(`${MANIFEST}: ${place}.options: ${error.message}`);
    throw error;
  }
  const { seats } = env.info;
  if (one.seat >= seats) throw new TaskError(`${MANIFEST}: ${place}.seat: ${id} has seats 0 … ${seats - 1}`);
  if (one.opponents.length !== seats - 1)
    throw new TaskError(
      `${MANIFEST}: ${place}.opponents: ${id} has ${seats} ${seats === 1 ? "seat" : "seats"}, so ${seats - 1} must be named, not ${one.opponents.length}`,
    );
  return env;
}

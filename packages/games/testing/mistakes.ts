/** Plants a mistake in an environment's rules, to show that the checks would notice one made by accident. */
import type { EnvironmentDefinition, Rules, SequentialRules, SimultaneousRules } from "../src/environment.ts";

export type Mistake<R extends Rules> = (right: R) => Partial<Omit<R, "turn">>;

/**
 * The same environment, but with some of its rules' methods replaced: `mistake` is given the right rules (to call) and
 * returns the wrong methods. Only for rules that do not call these methods of themselves.
 */
export function withMistake<R extends SequentialRules | SimultaneousRules>(
  definition: EnvironmentDefinition,
  mistake: Mistake<R>,
): EnvironmentDefinition {
  return {
    ...definition,
    make(options) {
      // Two instances, so that the wrong methods can call the right ones.
      return Object.assign(definition.make(options), mistake(definition.make(options) as R));
    },
  };
}

import type { Chance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  type RulesInfo,
  type SequentialRules,
  type State,
  TERMINATED,
} from "./environment.ts";
import { cos, sin } from "./maths.ts";
import type { Options } from "./options.ts";

/** Where in `floats`: metres, metres a second, radians from upright, radians a second. */
const X = 1;
const X_DOT = 2;
const THETA = 3;
const THETA_DOT = 4;

const GRAVITY = 9.8;
const POLE_MASS = 0.1;
const TOTAL_MASS = 1 + POLE_MASS;
/** Half the pole, in metres. */
const HALF_LENGTH = 0.5;
const POLE_MASS_LENGTH = POLE_MASS * HALF_LENGTH;
const FORCE = 10;
/** Seconds of a step. */
const TAU = 0.02;
const GREATEST_X = 2.4;
/** Twelve degrees. */
const GREATEST_THETA = (12 * 2 * Math.PI) / 360;
const START = 0.05;

const options = {
  max_steps: {
    type: "integer",
    minimum: 1,
    maximum: 100_000,
    default: 500,
    description: "Steps after which the episode is truncated",
  },
  sutton_barto_reward: {
    type: "boolean",
    default: false,
    description: "Rewards 0 a step and −1 for the fall, instead of 1 a step",
  },
} as const;

class CartPole implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #suttonBarto: boolean;

  constructor(given: Options<typeof options>) {
    this.#suttonBarto = given.sutton_barto_reward;
    // Rounded as the observations are; the velocities have no bound.
    const bounds = [2 * GREATEST_X, Number.POSITIVE_INFINITY, 2 * GREATEST_THETA, Number.POSITIVE_INFINITY].map(
      Math.fround,
    );
    this.info = {
      seats: 1,
      ownInts: 0,
      ownFloats: 4,
      actions: 2,
      observation: { type: "Box", shape: [4], dtype: "float32", low: bounds.map((bound) => -bound), high: bounds },
      returnRange: given.sutton_barto_reward ? [-1, 0] : [0, given.max_steps],
      zeroSum: false,
      maxSteps: given.max_steps,
      chance: true,
      perfectInformation: true,
      everyActionLegal: true,
    };
  }

  /** Draws x, its velocity, the angle and its velocity, in this order. */
  init({ ints, floats }: State, chance: Chance): void {
    ints[ACTORS] = 1;
    for (let i = X; i <= THETA_DOT; i++) floats[i] = chance.uniform(-START, START);
  }

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 2);
  }

  /** Euler's method on the frictionless equations of R. V. Florian, "Correct equations for the dynamics of the cart-pole system", 2007. */
  apply({ ints, floats }: State, _seat: number, action: number): void {
    const x = floats[X]!;
    const xDot = floats[X_DOT]!;
    const theta = floats[THETA]!;
    const thetaDot = floats[THETA_DOT]!;
    const cosine = cos(theta);
    const sine = sin(theta);
    const push = ((action === 1 ? FORCE : -FORCE) + POLE_MASS_LENGTH * (thetaDot * thetaDot) * sine) / TOTAL_MASS;
    const thetaAcceleration =
      (GRAVITY * sine - cosine * push) / (HALF_LENGTH * (4 / 3 - (POLE_MASS * (cosine * cosine)) / TOTAL_MASS));
    const acceleration = push - (POLE_MASS_LENGTH * thetaAcceleration * cosine) / TOTAL_MASS;
    floats[X] = x + TAU * xDot;
    floats[X_DOT] = xDot + TAU * acceleration;
    floats[THETA] = theta + TAU * thetaDot;
    floats[THETA_DOT] = thetaDot + TAU * thetaAcceleration;
    const fell = Math.abs(floats[X]!) > GREATEST_X || Math.abs(floats[THETA]!) > GREATEST_THETA;
    if (fell) ints[ENDED] = TERMINATED;
    floats[0] = this.#suttonBarto ? (fell ? -1 : 0) : 1;
  }

  observe({ floats }: State, _seat: number, out: Float64Array): void {
    for (let i = 0; i < 4; i++) out[i] = Math.fround(floats[X + i]!);
  }

  render({ floats }: State): string {
    const columns = 49;
    const at = Math.round(((floats[X]! + GREATEST_X) / (2 * GREATEST_X)) * (columns - 1));
    const clamped = Math.min(columns - 1, Math.max(0, at));
    const lean = floats[THETA]!;
    const pole = Math.abs(lean) < GREATEST_THETA / 4 ? "|" : lean < 0 ? "\\" : "/";
    const shown = (value: number) => value.toFixed(4);
    return [
      " ".repeat(clamped) + pole,
      `${"-".repeat(clamped)}#${"-".repeat(columns - 1 - clamped)}`,
      `x ${shown(floats[X]!)}  velocity ${shown(floats[X_DOT]!)}  angle ${shown(lean)}  velocity ${shown(floats[THETA_DOT]!)}`,
    ].join("\n");
  }

  actionName(action: number): string {
    return ["left", "right"][action] ?? String(action);
  }
}

export const cartPole: EnvironmentDefinition<typeof options> = {
  id: "cart-pole",
  version: 1,
  title: "Cart-pole",
  description:
    "One seat pushes a cart on a track so that the pole on it stays up: +1 for every step, up to a fall beyond 12 degrees, or 2.4 from the " +
    "middle. Actions: 0 push left, 1 push right. An observation is 4 numbers: the cart's position and velocity, the pole's angle and its " +
    "velocity. As Gymnasium's CartPole-v1.",
  options,
  make: (given) => new CartPole(given),
};

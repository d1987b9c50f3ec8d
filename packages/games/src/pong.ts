import type { Chance } from "./chance.ts";
import {
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SimultaneousRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";
import { cos, sin } from "./maths.ts";
import type { Options } from "./options.ts";

const SEATS = 2;
/** Where in `floats`. Paddles are known by their middle. */
const X = SEATS;
const Y = SEATS + 1;
const VX = SEATS + 2;
const VY = SEATS + 3;
const PADDLE = SEATS + 4;
const SCORE = OWN;

/** How far each paddle's face stands from its wall. */
const FACE = 0.05;
/** The most that a paddle adds to, or takes from, the ball's vertical speed. */
const SPIN = 0.01;
const STEEPEST = Math.PI / 4;

const options = {
  width: { type: "number", minimum: 0.2, maximum: 100, default: 1, description: "Width of the field" },
  height: { type: "number", minimum: 0.2, maximum: 100, default: 1, description: "Height of the field" },
  paddle_height: { type: "number", minimum: 0, maximum: 100, default: 0.2, description: "Height of a paddle" },
  paddle_speed: { type: "number", minimum: 0, maximum: 100, default: 0.05, description: "A paddle's way in one step" },
  ball_speed: {
    type: "number",
    minimum: 0.001,
    maximum: 1,
    default: 0.02,
    description: "The ball's way in one step, when it starts",
  },
  ball_radius: { type: "number", minimum: 0, maximum: 1, default: 0.02, description: "Radius of the ball" },
  points_to_win: {
    type: "integer",
    minimum: 1,
    maximum: 1000,
    default: 11,
    description: "Points that end the episode",
  },
  max_steps: {
    type: "integer",
    minimum: 1,
    maximum: 1_000_000,
    default: 1000,
    description: "Steps after which the episode is truncated",
  },
  mirrored: {
    type: "boolean",
    default: false,
    description: "Whether seat 1 sees the field mirrored, as if it were seat 0",
  },
} as const;

class Pong implements SimultaneousRules {
  readonly turn = "simultaneous";
  readonly info;
  readonly #o: Options<typeof options>;

  constructor(o: Options<typeof options>) {
    this.#o = o;
    // Bounds are rounded as the observations are: else a value on the bound could lie outside it.
    const width = Math.fround(o.width);
    const height = Math.fround(o.height);
    const speed = Math.fround(o.ball_speed);
    const unbounded = Number.POSITIVE_INFINITY;
    this.info = {
      seats: SEATS,
      ownInts: 2,
      ownFloats: 6,
      actions: 3,
      observation: {
        type: "Box",
        shape: [8],
        dtype: "float32",
        low: [0, 0, -speed, -unbounded, 0, 0, 0, 0],
        high: [width, height, speed, unbounded, height, height, o.points_to_win, o.points_to_win],
      },
      returnRange: [-o.points_to_win, o.points_to_win],
      zeroSum: true,
      maxSteps: o.max_steps,
      chance: true,
      perfectInformation: true,
      everyActionLegal: true,
    } as const;
  }

  init(state: State, chance: Chance): void {
    state.floats[PADDLE] = this.#o.height / 2;
    state.floats[PADDLE + 1] = this.#o.height / 2;
    this.#serve(state, chance);
  }

  /** Draws the angle, then the side: 0 towards seat 0, 1 towards seat 1. */
  #serve({ floats }: State, chance: Chance): void {
    const angle = chance.uniform(-STEEPEST, STEEPEST);
    const side = chance.below(2);
    const along = this.#o.ball_speed * cos(angle);
    floats[X] = this.#o.width / 2;
    floats[Y] = this.#o.height / 2;
    floats[VX] = side === 0 ? 0 - along : along;
    floats[VY] = this.#o.ball_speed * sin(angle);
  }

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1 || action === 2;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 3);
  }

  apply(state: State, actions: ArrayLike<number>, chance: Chance): void {
    const { floats } = state;
    const { width, height, paddle_height, paddle_speed, ball_radius } = this.#o;
    for (let seat = 0; seat < SEATS; seat++) {
      const at = floats[PADDLE + seat]! + paddle_speed * (actions[seat]! - 1);
      floats[PADDLE + seat] = Math.max(0, Math.min(at, height));
    }
    const x = floats[X]! + floats[VX]!;
    let y = floats[Y]! + floats[VY]!;
    // Written 0 − v, not −v: a state holds no −0, which JSON would turn into 0.
    if (y <= 0 || y >= height) {
      floats[VY] = 0 - floats[VY]!;
      y = y <= 0 ? 0 : height;
    }
    floats[X] = x;
    floats[Y] = y;
    // The ball need not come from the front: a paddle turns whatever is at or behind its face.
    if (x - ball_radius <= FACE && Math.abs(y - floats[PADDLE]!) <= paddle_height / 2) {
      floats[VX] = Math.abs(floats[VX]!);
      floats[VY] = floats[VY]! + chance.uniform(-SPIN, SPIN);
    }
    if (x + ball_radius >= width - FACE && Math.abs(y - floats[PADDLE + 1]!) <= paddle_height / 2) {
      floats[VX] = 0 - Math.abs(floats[VX]!);
      floats[VY] = floats[VY]! + chance.uniform(-SPIN, SPIN);
    }
    if (x <= 0) this.#score(state, 1, chance);
    else if (x >= width) this.#score(state, 0, chance);
  }

  #score(state: State, seat: number, chance: Chance): void {
    const { ints, floats } = state;
    floats[seat] = 1;
    floats[1 - seat] = -1;
    const score = ints[SCORE + seat]! + 1;
    ints[SCORE + seat] = score;
    if (score >= this.#o.points_to_win) ints[ENDED] = TERMINATED;
    this.#serve(state, chance);
  }

  observe({ ints, floats }: State, seat: number, out: Float64Array): void {
    const turned = this.#o.mirrored && seat === 1;
    const me = turned ? 1 : 0;
    out[0] = Math.fround(turned ? this.#o.width - floats[X]! : floats[X]!);
    out[1] = Math.fround(floats[Y]!);
    out[2] = Math.fround(turned ? 0 - floats[VX]! : floats[VX]!);
    out[3] = Math.fround(floats[VY]!);
    out[4] = Math.fround(floats[PADDLE + me]!);
    out[5] = Math.fround(floats[PADDLE + 1 - me]!);
    out[6] = ints[SCORE + me]!;
    out[7] = ints[SCORE + 1 - me]!;
  }

  render({ ints, floats }: State): string {
    const rows = 15;
    const columns = 45;
    const { width, height, paddle_height } = this.#o;
    const row = (y: number) => Math.min(rows - 1, Math.floor((y / height) * rows));
    const column = (x: number) => Math.min(columns - 1, Math.floor((x / width) * columns));
    const field = Array.from({ length: rows }, () => new Array<string>(columns).fill(" "));
    for (const [seat, face] of [FACE, width - FACE].entries()) {
      const middle = floats[PADDLE + seat]!;
      const top = row(Math.max(0, middle - paddle_height / 2));
      const bottom = row(Math.min(height, middle + paddle_height / 2));
      for (let r = top; r <= bottom; r++) field[r]![column(face)] = "|";
    }
    field[row(floats[Y]!)]![column(floats[X]!)] = "o";
    const edge = `+${"-".repeat(columns)}+`;
    return [
      `${ints[SCORE]} : ${ints[SCORE + 1]}   step ${ints[STEPS]}`,
      edge,
      ...field.map((cells) => `|${cells.join("")}|`),
      edge,
    ].join("\n");
  }

  actionName(action: number): string {
    return ["up", "stay", "down"][action] ?? String(action);
  }
}

export const pong: EnvironmentDefinition<typeof options> = {
  id: "pong",
  version: 1,
  title: "Pong",
  description:
    "Two seats move a paddle each and keep the ball from their wall; both act at every step. Actions: 0 up (towards y = 0), 1 stay, " +
    "2 down. An observation is 8 numbers: the ball's x, y, vx and vy, the y of seat 0's and of seat 1's paddle, seat 0's and seat 1's " +
    "score, the same for both seats unless mirrored. Seat 0 stands at x = 0. A point is +1 for who made it, −1 for the other.",
  options,
  make: (given) => new Pong(given),
};

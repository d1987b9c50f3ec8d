// NAME: an environment for Lanista. Check it with: lanista env check environment.mjs
//
// The game below is Nim: two seats take 1, 2 or 3 stones in turn, and whoever takes the last one wins. Change it into
// yours. The rules are pure: all they know of an episode is in `state`, two flat arrays that they read and write and
// never keep; chance is handed in (chance.below(n), chance.uniform(low, high)) and nothing else may be random.

// state.ints: these are the host's words with the rules; from OWN on they are the rules' own.
const ACTORS = 0; // bit i set: seat i is to act
const ENDED = 2; // 0 goes on, 1 terminated
const OWN = 4;
const STONES = OWN;

class Rules {
  turn = "sequential";

  constructor(options) {
    this.options = options;
    this.info = {
      seats: 2,
      ownInts: 1, // how many integers and floats the rules keep in a state
      ownFloats: 0,
      actions: 3, // an action is an integer 0 … 2
      observation: { type: "Discrete", n: options.stones + 1 },
      returnRange: [-1, 1],
      zeroSum: true,
      maxSteps: Infinity, // after that many steps the host truncates the episode
      chance: false, // whether `chance` is ever drawn from
      perfectInformation: true,
    };
  }

  // Sets up an episode; every number of the state is 0 before.
  init(state) {
    state.ints[STONES] = this.options.stones;
    state.ints[ACTORS] = 1; // seat 0 begins
  }

  isLegal(state, _seat, action) {
    return Number.isInteger(action) && action >= 0 && action < 3 && action + 1 <= state.ints[STONES];
  }

  mask(state, seat, mask) {
    for (let action = 0; action < 3; action++) mask[action] = this.isLegal(state, seat, action) ? 1 : 0;
  }

  // Does a legal action: says who is to act next, or that it ended, and the rewards that are not zero.
  apply(state, seat, action) {
    state.ints[STONES] -= action + 1;
    if (state.ints[STONES] > 0) {
      state.ints[ACTORS] = 1 << (1 - seat);
    } else {
      state.ints[ENDED] = 1;
      state.floats[seat] = 1; // state.floats[i] is seat i's reward for this step
      state.floats[1 - seat] = -1;
    }
  }

  // What a seat sees, as flat numbers that the observation space contains.
  observe(state, _seat, out) {
    out[0] = state.ints[STONES];
  }

  render(state) {
    return `${"o".repeat(state.ints[STONES])} (${state.ints[STONES]})`;
  }

  actionName(action) {
    return `take-${action + 1}`;
  }
}

export default {
  id: "KEBAB",
  version: 1, // raise it whenever the same actions could give another episode
  title: "NAME",
  description:
    "Nim: two seats take 1 to 3 stones in turn, and whoever takes the last wins. One sees the number of stones.",
  options: {
    stones: { type: "integer", minimum: 1, maximum: 100, default: 21, description: "stones at the beginning" },
  },
  make: (options) => new Rules(options),
};

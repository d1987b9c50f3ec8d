// NAME: an agent for Lanista. Try it with: lanista match connect-four . .
//
// It plays a random legal action in any environment. Make it better: look at what `act` is given.
// What you print goes to the agent's log (lanista match … --logs DIR), never to the game.

export class Agent {
  // `info` is the host's first message: info.env.id and .options, info.seat, info.seats, info.action_space, …
  constructor(info) {
    this.actions = info.action_space.n;
    // Randomness from the seed alone: then the same match can be played again, move by move.
    this.random = generator(info.seed);
  }

  // Returns an action, an integer. Is called whenever this seat is to move; a clock runs.
  act(observation) {
    // Where not every action is always legal, one is told which are: 1 legal, 0 not. Then the board, flat and row by
    // row, is observation.observation; elsewhere it is `observation` itself.
    const mask = observation.action_mask;
    const legal = [];
    for (let action = 0; action < this.actions; action++)
      if (mask === undefined || mask[action] === 1) legal.push(action);
    return legal[Math.floor(this.random() * legal.length)];
  }
}

// A small generator of numbers in [0, 1): mulberry32. JavaScript's own cannot be given a seed.
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Plays any environment: a random legal action. */
export class Agent {
  constructor({ seed, masked, action_space }) {
    this.random = seededRandom(seed);
    this.masked = masked;
    this.actions = action_space.n;
  }

  act(seen) {
    // Without a mask every action is always legal.
    if (!this.masked) return Math.floor(this.random() * this.actions);
    const legal = seen.action_mask.flatMap((allowed, action) => (allowed ? [action] : []));
    return legal[Math.floor(this.random() * legal.length)];
  }
}

/** Random numbers in [0, 1) from a seed (mulberry32): the same seed plays the same match again. */
function seededRandom(seed) {
  let state = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

"""Episodes of Gymnasium's single-seat environments, as golden episodes."""

import importlib.metadata

SOURCE = "gymnasium " + importlib.metadata.version("gymnasium")


def play(golden, env, seed, policy, start, chance, observe):
    """One episode. `policy(env)` names the actions; `start(env)` the outcomes drawn at reset; `chance(env, action)` those that
    the coming step will draw, or None; `observe(observation)` makes a list of numbers. Returns how it ended."""
    observation, _ = env.reset(seed=seed)
    golden.episode(chance=start(env), seat=0, legal=range(env.action_space.n), obs0=observe(observation))
    total = 0.0
    while True:
        action = policy(env)
        outcomes = chance(env, action)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += reward
        over = terminated or truncated
        golden.step(action, chance=outcomes, seat=None if over else 0, reward=[reward], obs0=observe(observation))
        if over:
            kind = "terminated" if terminated else "truncated"
            golden.end(kind, **{"return": [total]})
            return kind

"""Episodes of Gymnasium's single-seat environments, as golden episodes."""

import importlib.metadata

SOURCE = "gymnasium " + importlib.metadata.version("gymnasium")


def play(golden, env, seed, policy, start, chance, observe, legal=None):
    """One episode. `policy(env)` names the actions; `start(env)` the outcomes drawn at reset; `chance(env, action)` those that
    the coming step will draw, or None; `observe(observation)` makes a list of numbers; `legal(env)` the legal actions of each
    state, all of them if absent (and written once). Returns how it ended."""
    observation, _ = env.reset(seed=seed)
    first = legal(env) if legal else range(env.action_space.n)
    golden.episode(chance=start(env), seat=0, legal=first, obs0=observe(observation))
    total = 0.0
    while True:
        action = policy(env)
        outcomes = chance(env, action)
        observation, reward, terminated, truncated, _ = env.step(action)
        total += reward
        over = terminated or truncated
        turn = {} if over else {"seat": 0, "legal": legal(env) if legal else None}
        golden.step(action, chance=outcomes, **turn, reward=[reward], obs0=observe(observation))
        if over:
            kind = "terminated" if terminated else "truncated"
            golden.end(kind, **{"return": [total]})
            return kind

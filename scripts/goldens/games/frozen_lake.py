"""FrozenLake-v1 and FrozenLake8x8-v1, slippery and not. The slip is worked out from a copy of Gymnasium's generator."""

import copy
import random

import gymnasium
import numpy as np

from golden import Golden

from ._gymnasium import SOURCE, play

NAMES = {"4x4": "FrozenLake-v1", "8x8": "FrozenLake8x8-v1"}


def slip(env, action):
    """Which of its three outcomes the coming step takes: the direction before the action's, the action's, the one after."""
    lake = env.unwrapped
    outcomes = lake.P[lake.s][action]
    if len(outcomes) == 1:
        return None
    drawn = copy.deepcopy(lake.np_random).random()
    return [int(np.argmax(np.cumsum([probability for probability, *_ in outcomes]) > drawn))]


def best_actions(env):
    """The best action in each cell, by value iteration: random walks hardly ever reach the goal."""
    table = env.unwrapped.P
    value = np.zeros(len(table))

    def worth(cell, action):
        return sum(p * (reward + 0.999 * value[to] * (not ended)) for p, to, reward, ended in table[cell][action])

    for _ in range(2000):
        for cell in table:
            value[cell] = max(worth(cell, action) for action in range(4))
    return [max(range(4), key=lambda action: worth(cell, action)) for cell in table]


def section(golden, map_name, slippery, random_episodes, best_episodes):
    env = gymnasium.make(NAMES[map_name], is_slippery=slippery)
    rng = random.Random(f"{map_name} {slippery}")
    best = best_actions(env)
    golden.env("frozen-lake", map_name=map_name, is_slippery=slippery)

    def episode(seed, policy):
        return play(golden, env, seed, policy, lambda _: None, slip, lambda cell: [cell])

    ends = {episode(seed, lambda _: rng.randrange(4)) for seed in range(random_episodes)}
    ends |= {episode(1000 + seed, lambda e: best[e.unwrapped.s]) for seed in range(best_episodes)}
    # Up and left in turn: against the walls, and to the time limit where the ice does not slip.
    turns = iter(range(10**6))
    ends.add(episode(2000, lambda _: (3, 0)[next(turns) % 2]))
    assert slippery or ends == {"terminated", "truncated"}, ends


def write(out):
    with Golden(out, "frozen-lake", SOURCE) as golden:
        section(golden, "4x4", True, 20, 5)
        section(golden, "4x4", False, 10, 1)
        section(golden, "8x8", True, 10, 4)
        section(golden, "8x8", False, 5, 1)

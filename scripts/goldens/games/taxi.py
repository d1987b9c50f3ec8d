"""Taxi-v4, with every pair of its two options; and with what its info["action_mask"] leaves out never played, and illegal.

Our rules draw integers: of ten for the rain (0 ahead, 8 left, 9 right) and for whether the passenger is fickle (0 yes, 3 no).
"""

import copy
import functools
import random

import gymnasium
import numpy as np

from golden import Golden

from ._gymnasium import SOURCE, play

RAIN = (0, 8, 9)


def elsewhere(place, chosen):
    """Which of the other three places."""
    return [other for other in range(4) if other != place].index(chosen)


def start(env):
    table = env.unwrapped
    row, column, passenger, destination = table.decode(table.s)
    drawn = [5 * row + column, passenger, elsewhere(passenger, destination)]
    return drawn + [0 if table.fickle_step else 3] if table.fickle_passenger else drawn


def chance(env, action):
    """The coming step is taken on a copy, to see what it draws."""
    table = env.unwrapped
    ahead = copy.copy(table)
    ahead.np_random = copy.deepcopy(table.np_random)
    outcomes = table.P[table.s][action]
    drawn = []
    if len(outcomes) > 1:
        # As Gymnasium's categorical_sample finds it.
        at = copy.deepcopy(table.np_random).random()
        drawn.append(RAIN[int(np.argmax(np.cumsum([probability for probability, *_ in outcomes]) > at))])
    ahead.step(action)
    if ahead.fickle_step != table.fickle_step:
        drawn.append(elsewhere(table.s % 4, ahead.s % 4))
    return drawn or None


def mask(env):
    table = env.unwrapped
    return [int(action) for action in np.flatnonzero(table.action_mask(table.s))]


@functools.cache
def best_actions():
    """The best action in each state, by value iteration, in dry weather."""
    table = gymnasium.make("Taxi-v4").unwrapped.P
    value = np.zeros(len(table))

    def worth(state, action):
        (_, to, reward, ended), = table[state][action]
        return reward + 0.999 * value[to] * (not ended)

    for _ in range(60):
        for state in table:
            value[state] = max(worth(state, action) for action in range(6))
    return [max(range(6), key=lambda action: worth(state, action)) for state in table]


def section(golden, rainy, fickle, masked):
    env = gymnasium.make("Taxi-v4", is_rainy=rainy, fickle_passenger=fickle)
    rng = random.Random(f"{rainy} {fickle} {masked}")
    golden.env("taxi", is_rainy=rainy, fickle_passenger=fickle, action_mask=masked)
    legal = mask if masked else None

    def at_random(env):
        return rng.choice(mask(env) if masked else range(6))

    def mostly_best(share):
        def policy(env):
            return at_random(env) if rng.random() > share else best_actions()[env.unwrapped.s]

        return policy

    for seed, policy in enumerate([at_random] * 2 + [mostly_best(0.5)] * 4 + [mostly_best(0.8)] * 8 + [mostly_best(1)] * 6):
        play(golden, env, seed, policy, start, chance, lambda state: [state], legal)


def write(out):
    with Golden(out, "taxi", SOURCE) as golden:
        for rainy in (False, True):
            for fickle in (False, True):
                for masked in (False, True):
                    section(golden, rainy, fickle, masked)

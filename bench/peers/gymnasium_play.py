"""Random play in Gymnasium, one environment in this process."""

from serve import serve  # first: see there

import functools
import random

import gymnasium

ENVS = {"blackjack": "Blackjack-v1", "frozen-lake": "FrozenLake-v1", "taxi": "Taxi-v4", "cart-pole": "CartPole-v1"}


def loop(name):
    env = gymnasium.make(ENVS[name])
    actions = int(env.action_space.n)

    def play():
        env.reset()
        steps = 0
        while True:
            _, _, terminated, truncated, _ = env.step(random.randrange(actions))
            steps += 1
            if terminated or truncated:
                return 1, steps

    return play


serve({name: functools.partial(loop, name) for name in ENVS})

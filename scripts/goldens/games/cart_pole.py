"""CartPole-v1. Reset draws the four numbers of the first state; steps draw nothing.

A pole that stands is unstable: a difference in the last bit grows by e^4 in a second (50 steps). So episodes stay below some
200 steps, where it has not yet reached 1e-9.
"""

import random

import gymnasium
import numpy as np

from golden import Golden

from ._gymnasium import SOURCE, play


def observe(observation):
    """float32 as it is, to ten places: closer than the replay compares."""
    return [round(float(value), 10) for value in observation]


def balance(target):
    """Leans the pole so that the cart runs towards `target` metres; beyond 2.4 it leaves the track with the pole up."""

    def policy(env):
        x, x_dot, theta, theta_dot = env.unwrapped.state
        lean = np.clip(0.1 * (target - x) - 0.15 * x_dot, -0.06, 0.06)
        return int((theta - lean) + 0.4 * theta_dot > 0)

    return policy


def section(golden, options, make_options, seeds, policies):
    env = gymnasium.make("CartPole-v1", **make_options)
    golden.env("cart-pole", **options)

    def start(env):
        return [float(value) for value in env.unwrapped.state]

    for seed, policy in zip(seeds, policies, strict=True):
        play(golden, env, seed, policy, start, lambda env, action: None, observe)


def write(out):
    rng = random.Random(5)
    with Golden(out, "cart-pole", SOURCE) as golden:
        policies = [lambda _: rng.randrange(2)] * 12 + [lambda _: 0, lambda _: 1, balance(5), balance(-5)]
        section(golden, {}, {}, range(len(policies)), policies)
        section(golden, {"max_steps": 150}, {"max_episode_steps": 150}, [50], [balance(0)])
        section(golden, {"sutton_barto_reward": True}, {"sutton_barto_reward": True}, [60], [lambda _: rng.randrange(2)])

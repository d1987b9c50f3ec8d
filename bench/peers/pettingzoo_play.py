"""Random legal play in PettingZoo, as its documentation shows it: the agent iterator, and the mask of each observation."""

from serve import serve  # first: see there

import functools

import numpy
from pettingzoo.classic import connect_four_v3, tictactoe_v3

ENVS = {"connect-four": connect_four_v3, "tic-tac-toe": tictactoe_v3}


def agent_loop(name):
    env = ENVS[name].env()
    choose = numpy.random.default_rng(1)

    def play():
        env.reset()
        steps = 0
        for agent in env.agent_iter():
            observation, _, termination, truncation, _ = env.last()
            if termination or truncation:
                env.step(None)
                continue
            env.step(int(choose.choice(numpy.flatnonzero(observation["action_mask"]))))
            steps += 1
        return 1, steps

    return play


serve({name: functools.partial(agent_loop, name) for name in ENVS})

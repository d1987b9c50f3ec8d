import numpy

from aivle_grader.abc.agent import Agent


class CartPoleAgent(Agent):
    def step(self, state):
        assert isinstance(state, numpy.ndarray)
        return int(state[2] + state[3] > 0)

    def reset(self):
        pass

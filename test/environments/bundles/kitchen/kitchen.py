"""Every kind of space at once, odd floats, and everything that there is to draw from."""

import random

import gymnasium
import numpy
from gymnasium import spaces


class Kitchen(gymnasium.Env):
    observation_space = spaces.Dict(
        {
            "bits": spaces.MultiBinary([2, 3]),
            "bytes": spaces.Box(0, 255, (2, 2), numpy.uint8),
            "double": spaces.Box(-numpy.inf, numpy.inf, (3,), numpy.float64),
            "half": spaces.Box(-numpy.inf, numpy.inf, (2,), numpy.float16),
            "many": spaces.MultiDiscrete([3, 4]),
            "pair": spaces.Tuple((spaces.Discrete(5, start=-2), spaces.Text(12))),
            "single": spaces.Box(numpy.array([-1, -2, -3], numpy.float32), numpy.float32(3), dtype=numpy.float32),
            "whole": spaces.Box(-(2**62), 2**62, (1,), numpy.int64),
        }
    )

    def __init__(self, scale, rounds):
        self.scale, self.rounds = scale, rounds
        self.action_space = spaces.Box(numpy.array([-1, 0], numpy.float32), numpy.float32(scale), dtype=numpy.float32)

    def observe(self):
        draw = self.np_random
        odd = [numpy.nan, numpy.inf, -numpy.inf, -0.0, 0.1, 5e-324, 1.7976931348623157e308]
        return {
            "bits": draw.integers(0, 2, (2, 3)).astype(numpy.int8),
            "bytes": draw.integers(0, 256, (2, 2), numpy.uint8),
            "double": numpy.array([odd[self.step_number % 7], draw.normal(), numpy.random.normal()]),
            "half": draw.normal(size=2).astype(numpy.float16),
            "many": draw.integers(0, [3, 4]),
            "pair": (int(draw.integers(-2, 3)), "é😀\n" * int(draw.integers(0, 4))),
            "single": numpy.array([random.random(), -0.0, self.last], numpy.float32),
            "whole": numpy.array([draw.integers(-(2**53), 2**53)]),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.step_number, self.last = 0, 0.0
        return self.observe(), {}

    def step(self, action):
        assert action.dtype == numpy.float32 and action in self.action_space
        self.step_number += 1
        self.last = float(action.sum())
        print("printed, and in nobody's way")
        reward = self.np_random.normal() * self.last + self.action_space.sample()[0]
        return self.observe(), reward, False, self.step_number == self.rounds, {}

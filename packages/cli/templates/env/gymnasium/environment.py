"""Nim against a player that takes at random: one, two or three sticks in turn; who takes the last one wins."""

import gymnasium
import numpy
from gymnasium import spaces


class Nim(gymnasium.Env):
    metadata = {"render_modes": ["ansi"]}

    def __init__(self, sticks, render_mode=None):
        self.first = sticks
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(3)  # one stick, two or three
        # An observation of this form is one with a mask: agents are never asked for what it forbids.
        self.observation_space = spaces.Dict(
            {
                "observation": spaces.Box(0, sticks, (1,), numpy.int32),
                "action_mask": spaces.MultiBinary(3),
            }
        )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)  # whatever is random must come from self.np_random
        self.sticks = self.first
        return self.observe(), {}

    def step(self, action):
        self.sticks -= int(action) + 1
        if self.sticks == 0:
            return self.observe(), 1, True, False, {}
        self.sticks -= int(self.np_random.integers(1, min(3, self.sticks) + 1))
        lost = self.sticks == 0
        return self.observe(), -1 if lost else 0, lost, False, {}

    def observe(self):
        legal = numpy.array([count <= self.sticks for count in (1, 2, 3)], numpy.int8)
        return {"observation": numpy.array([self.sticks], numpy.int32), "action_mask": legal}

    def render(self):
        return "|" * self.sticks or "no stick is left"

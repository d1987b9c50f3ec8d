"""Actions of parts within parts, texts among them; what is seen is what was done, and what the library thinks of it."""

import gymnasium
import numpy
from gymnasium import spaces

WORDS = 'ab "\\\n😀é'


class Pantry(gymnasium.Env):
    action_space = spaces.Dict(
        {
            "whole": spaces.Box(-3, 9, (2, 2), numpy.int32),
            "note": spaces.Text(min_length=1, max_length=6, charset=WORDS),
            "2": spaces.Discrete(5, start=-2),
            "1": spaces.Tuple(
                (
                    spaces.MultiBinary(3),
                    spaces.Dict({"half": spaces.Box(-1, 1, (2,), numpy.float16), "many": spaces.MultiDiscrete([3, 4])}),
                )
            ),
        }
    )
    observation_space = spaces.Dict({"done": spaces.Text(2000, charset=WORDS), "hash": spaces.Discrete(2**31)})

    def observe(self):
        return {"done": self.note, "hash": int(self.np_random.integers(0, 2**31))}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.note = 0, ""
        return self.observe(), {}

    def step(self, action):
        assert action in self.action_space, action
        assert action["whole"].shape == (2, 2) and isinstance(action["1"], tuple) and type(action["2"]) is int
        self.steps += 1
        self.note = (self.note + action["note"])[-2000:]
        bits, inner = action["1"]
        reward = action["2"] + action["whole"].sum() + bits.sum() * 0.5 + float(inner["half"].sum()) + inner["many"].sum()
        # What is sampled shows whether the space was seeded.
        return self.observe(), float(reward) + float(self.action_space.sample()["2"]), self.steps == 25, False, {}

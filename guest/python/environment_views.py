"""What the adapters of Gymnasium and PettingZoo share: what a seat sees, its mask, rewards and ends, as one kind of turn."""

import math

from environment_spaces import action_reader, integer, kind_of, space_json, writer

FORM = {"observation", "action_mask"}


class SeatView:
    """One seat's spaces. A Dict of an observation and an action mask, as PettingZoo has it, is a masked observation."""

    def __init__(self, action_space, observation_space, mask):
        self.action_space = action_space
        self.read_action = action_reader(action_space)
        self.mask_in_info = mask == "info"
        named = getattr(observation_space, "spaces", None)
        self.in_form = kind_of(observation_space) == "Dict" and set(named.keys()) == FORM
        seen = named["observation"] if self.in_form else observation_space
        self.masked = mask != "none" and (self.in_form or self.mask_in_info)
        if self.masked and kind_of(action_space) != "Discrete":
            raise TypeError("a mask goes with a Discrete action space alone, not with %s" % (action_space,))
        self.write = writer(seen)
        self.described = {"action": space_json(action_space), "observation": space_json(seen), "masked": self.masked}

    def see(self, observation, info):
        """What the seat sees, and its mask or None."""
        mask = None
        if self.masked:
            # Newer environments have the mask in the info, older ones in the observation.
            mask = info["action_mask"] if self.mask_in_info else observation["action_mask"]
            mask = [integer(bit) for bit in mask]
        return self.write(observation["observation"] if self.in_form else observation), mask


def finite(reward):
    reward = float(reward)
    if not math.isfinite(reward):
        raise ValueError("a reward that is not a number: %r" % (reward,))
    return reward


class Turn:
    """What a reset or a step led to, by seat."""

    def __init__(self, seats):
        self.actors = []
        self.seen = [None] * seats
        self.masks = [None] * seats
        self.rewards = [0.0] * seats

    def see(self, seat, view, observation, info):
        self.seen[seat], self.masks[seat] = view.see(observation, info)

    def told(self, ends):
        return {
            "actors": self.actors,
            "seen": self.seen,
            "masks": self.masks,
            "rewards": self.rewards,
            "ends": list(ends),
        }


def end_of(terminated, truncated):
    return "terminated" if terminated else "truncated" if truncated else None

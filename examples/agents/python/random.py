"""Plays any environment: a random legal action."""

from random import Random


class Agent:
    def __init__(self, player_id, info):
        self.random = Random(info["seed"])  # the same seed plays the same match again
        self.actions = info["action_space"]["n"]
        self.masked = info["masked"]

    def act(self, seen):
        if not self.masked:  # every action is always legal
            return self.random.randrange(self.actions)
        return self.random.choice([action for action, legal in enumerate(seen["action_mask"]) if legal])

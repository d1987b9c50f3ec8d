"""Moves at random, from the seed alone: the same case is the same for everybody."""
import random


class Agent:
    def __init__(self, player_id, info):
        self.random = random.Random(info["seed"])

    def act(self, seen):
        mask = seen["action_mask"]
        return self.random.choice([action for action in range(len(mask)) if mask[action]])

"""A random legal move: as little as an agent can be, so that what is measured is everything around it."""

import random


class Agent:
    def __init__(self, player_id):
        self.random = random.Random(player_id)

    def act(self, observation):
        mask = observation["action_mask"]
        return self.random.choice([action for action in range(len(mask)) if mask[action]])
